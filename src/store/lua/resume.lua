-- KEYS: none
-- ARGV: id
-- Returns {'enqueue', epoch}, {'ok'}, {'gone'} or {'conflict'}.
local status = field(id, 'status')
if not status then return {'gone'} end
if is_terminal(status) or status == 'canceling' then return {'conflict'} end
redis.call('HDEL', key(id), 'pauseRequested')
if status ~= 'paused' then return {'ok'} end
local epoch = redis.call('HINCRBY', key(id), 'epoch', 1)
set_status(id, 'resume', 'queued')
if field(id, 'waitsFor') then return {'ok'} end
return {'enqueue', tostring(epoch)}
