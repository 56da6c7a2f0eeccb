-- What people and clients did, and how often; what Baton and carriers did by themselves is left out.
SELECT actor, type, count(*) AS times, max(happened_at) AS last
FROM events
WHERE actor LIKE 'client:%' OR actor LIKE 'user:%'
GROUP BY actor, type
ORDER BY actor, times DESC, type
