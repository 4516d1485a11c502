-- The commit of a search or experiment: its state, and a progress entry in its log at position <trainings done>-0, which grows each time.
-- KEYS: none
-- ARGV: id, fence, done (trainings), state (JSON), progress (JSON)
-- Returns 'continue', 'paused', 'canceled' or 'stale'.
if not owns(id, fence) then return 'stale' end
if done > number(id, 'committed') then
  redis.call('HSET', key(id), 'state', state, 'committed', done, 'crashes', 0)
  redis.call('XADD', log_key(id), string.format('%.0f-0', done), 'p', progress)
end
local outcome = apply_requests(id)
if outcome == 'continue' then redis.call('PUBLISH', WAKE_CHANNEL, id) end
return outcome
