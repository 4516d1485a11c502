-- Moves an engine's speed, an exponential average, towards what was just measured.
-- KEYS: none
-- ARGV: engine, ratio (seconds that a training took to those estimated), weight (of this one)
-- Returns 'ok'.
local old = redis.call('HGET', SPEED_KEY, engine)
local new = old and tonumber(old) + weight * (ratio - tonumber(old)) or ratio
redis.call('HSET', SPEED_KEY, engine, string.format('%.17g', new))
return 'ok'
