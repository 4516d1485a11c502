-- Places in the line for the next turns of runs, so that whoever has had least comes first: start-time fair queueing. Each tenant has
-- a share, in which each of its searches and experiments has one, and all runs of its own together another.
-- KEYS: BullMQ's sorted set of the jobs that wait
-- ARGV: ids (JSON), unit (seconds of one place), slice, least (seconds of a turn, at most and at least), most (the last place)
-- Returns the place of each, from 1 on.
local v = tonumber(redis.call('HGET', FAIR_KEY, 'v') or '0')
-- Places are bounded, so counting begins anew when nothing waits.
if v > most / 2 and redis.call('ZCARD', KEYS[1]) == 0 then
  v = 0
  redis.call('HSET', FAIR_KEY, 'v', 0)
  redis.call('HINCRBY', FAIR_KEY, 'round', 1)
end
local places = {}
for i, id in ipairs(cjson.decode(ids)) do
  local owners, owner = fair_owner(id)
  -- Who has no claim beyond now is idle.
  redis.call('ZREMRANGEBYSCORE', owners, '-inf', v)
  local had = tonumber(redis.call('ZSCORE', owners, owner) or tostring(v))
  redis.call('ZADD', owners, had, owner)
  local turn = turn_of(id, slice, least) / unit * redis.call('ZCARD', owners)
  redis.call('ZADD', owners, had + turn, owner)
  redis.call('EXPIRE', owners, 604800)
  places[i] = math.min(math.floor(had) + 1, most)
end
return places
