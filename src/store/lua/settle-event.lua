-- Notes what came of an attempt to deliver an event, and hands out the next when that was the last attempt.
-- KEYS: none
-- ARGV: id, sequence, round, outcome ('delivered'; 'failed': given up; 'tried': to be tried again), error (what went wrong)
-- Returns how often it was tried without success; 0: it is settled, or this is moot.
local hook, events = webhook_key(id), webhook_events_key(id)
if redis.call('HGET', hook, 'round') ~= round or redis.call('LINDEX', events, 0) ~= sequence then return 0 end
if error then redis.call('HSET', hook, 'lastError', error) else redis.call('HDEL', hook, 'lastError') end
if outcome == 'tried' then return redis.call('HINCRBY', hook, 'tries', 1) end
redis.call('HDEL', hook, 'tries')
redis.call('HINCRBY', hook, outcome, 1)
redis.call('LPOP', events)
hand_out_event(id)
return 0
