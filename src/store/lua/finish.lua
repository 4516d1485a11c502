-- Ends a record; a cancel that came first wins.
-- KEYS: none
-- ARGV: id, fence, status (terminal), reason, result (JSON), steps (of a run that came to its end: that it has committed)
-- Returns the status now, 'stale', or 'behind' (some of those steps have been lost).
local current = field(id, 'status')
if current and field(id, 'fence') == fence and is_terminal(current) then return current end
if not owns(id, fence) then return 'stale' end
if steps and number(id, 'committed') < steps then return 'behind' end
if current == 'canceling' then status = 'canceled' end
set_status(id, 'finish', status, reason)
if result then redis.call('HSET', key(id), 'result', result) end
return status
