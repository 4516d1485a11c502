-- Hands a record back unfinished, at shutdown.
-- KEYS: none
-- ARGV: id, fence
-- Returns the status now, or 'stale'.
if field(id, 'fence') == fence and field(id, 'status') == 'queued' then return 'queued' end
if not owns(id, fence) then return 'stale' end
local outcome = apply_requests(id)
if outcome ~= 'continue' then return outcome end
set_status(id, 'release', 'queued')
return 'queued'
