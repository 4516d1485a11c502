-- A running record pauses at its next commit.
-- KEYS: none
-- ARGV: id
-- Returns 'ok', 'gone' or 'conflict'.
local status = field(id, 'status')
if not status then return 'gone' end
if status == 'queued' then set_status(id, 'pause', 'paused') end
if status == 'running' then redis.call('HSET', key(id), 'pauseRequested', 1) end
if is_terminal(status) or status == 'canceling' then return 'conflict' end
return 'ok'
