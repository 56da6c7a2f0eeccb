-- What was given back beside cancellations, by kind and reason, in minor units.
SELECT
  json_extract_scalar(data, '$.credit.kind') AS kind,
  json_extract_scalar(data, '$.credit.reason') AS reason,
  count(*) AS refunds,
  sum(CAST(json_extract_scalar(data, '$.credit.amount') AS BIGINT)) AS refunded
FROM events
WHERE type IN ('RefundGranted', 'ReturnSettled')
GROUP BY 1, 2
ORDER BY refunded DESC, kind, reason
