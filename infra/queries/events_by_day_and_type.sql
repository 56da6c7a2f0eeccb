-- How much of what happened, day by day.
SELECT date_trunc('day', happened_at) AS day, type, count(*) AS events
FROM events
GROUP BY 1, 2
ORDER BY 1, 2
