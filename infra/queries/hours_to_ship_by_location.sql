-- From the order to the carrier, in hours: the median and what nine of ten do not exceed.
WITH placed AS (
  SELECT order_id, min(happened_at) AS placed_at FROM events WHERE type = 'OrderPlaced' GROUP BY order_id
),
shipped AS (
  SELECT order_id, happened_at AS shipped_at, json_extract_scalar(data, '$.location_id') AS location
  FROM events
  WHERE type = 'FulfillmentOrderShipped'
)
SELECT
  location,
  count(*) AS shipments,
  approx_percentile(date_diff('minute', placed_at, shipped_at) / 60.0, 0.5) AS median_hours,
  approx_percentile(date_diff('minute', placed_at, shipped_at) / 60.0, 0.9) AS nine_of_ten_hours
FROM shipped
JOIN placed ON placed.order_id = shipped.order_id
GROUP BY location
ORDER BY location
