-- Ends a queued run that has waited for a rate that never came.
-- KEYS: none
-- ARGV: id, status (failed or canceled), reason
-- Returns 'ok'.
if field(id, 'status') == 'queued' and field(id, 'waitsFor') then
  set_status(id, 'forsake', status, reason)
  redis.call('HDEL', key(id), 'waitsFor')
end
return 'ok'
