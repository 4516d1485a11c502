-- Shows that a worker lives, how many runs it trains at once, and what it is; forgets those that have not done so lately.
-- KEYS: none
-- ARGV: worker (unique to the process), slots, ttl (seconds), facts (JSON: StoredWorkerSchema)
-- Returns 'ok'.
local at = now_ms()
redis.call('SET', WORKERS_KEY, 1, 'EX', ttl)
local known = redis.call('HGETALL', SLOTS_KEY)
for i = 1, #known, 2 do
  if cjson.decode(known[i + 1]).till < at then
    redis.call('HDEL', SLOTS_KEY, known[i])
    redis.call('HDEL', FLEET_KEY, known[i])
  end
end
redis.call('HSET', SLOTS_KEY, worker, cjson.encode({ slots = slots, till = at + ttl * 1000 }))
redis.call('HSET', FLEET_KEY, worker, facts)
return 'ok'
