-- KEYS: none
-- ARGV: id
-- Returns the status now, nil where there is no such record; a terminal one is left alone.
local status = field(id, 'status')
if status == 'queued' or status == 'paused' then set_status(id, 'cancel', 'canceled') end
if status == 'running' then set_status(id, 'cancel', 'canceling') end
return field(id, 'status')
