-- Has all events of a record delivered again. What is still under way counts no more: it is of another round.
-- KEYS: none
-- ARGV: id
-- Returns 'ok', or 'none' where it has no webhook.
local hook, waiting = webhook_key(id), webhook_events_key(id)
if redis.call('EXISTS', hook) == 0 then return 'none' end
redis.call('HINCRBY', hook, 'round', 1)
redis.call('HDEL', hook, 'delivered', 'failed', 'tries', 'lastError')
redis.call('DEL', waiting)
local sequences = {}
for _, name in ipairs(redis.call('HKEYS', hook)) do
  local sequence = string.match(name, '^event:(%d+)$')
  if sequence then table.insert(sequences, tonumber(sequence)) end
end
table.sort(sequences)
for _, sequence in ipairs(sequences) do redis.call('RPUSH', waiting, string.format('%.0f', sequence)) end
hand_out_event(id)
return 'ok'
