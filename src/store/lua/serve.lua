-- The line has moved up to a place.
-- KEYS: none
-- ARGV: place
-- Returns 'ok'.
if place - 1 > tonumber(redis.call('HGET', FAIR_KEY, 'v') or '0') then redis.call('HSET', FAIR_KEY, 'v', place - 1) end
return 'ok'
