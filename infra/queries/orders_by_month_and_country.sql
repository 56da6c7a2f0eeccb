-- Orders placed, and what they come to in minor units, by month (UTC), country and currency.
SELECT
  date_trunc('month', happened_at) AS month,
  json_extract_scalar(data, '$.destination.country') AS country,
  json_extract_scalar(data, '$.currency') AS currency,
  count(*) AS orders,
  count(DISTINCT json_extract_scalar(data, '$.customer_id')) AS customers,
  sum(CAST(json_extract_scalar(data, '$.total') AS BIGINT)) AS total
FROM events
WHERE type = 'OrderPlaced'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
