-- Stores a queued record. Of a fork the last three say which checkpoint it begins with, and the loop's state to go with it.
-- KEYS: the indexes that it is to stand in, besides those of its labels
-- ARGV: id, spec (JSON), deadline (ms of Redis time; later than that nothing is created), most (waiting records), waitsFor
--   (the search whose answer completes it), dataset (its name), digest (that the dataset must have; none: any), traceId,
--   parent (the record that it belongs to), tenant (whose it is; none: its parent's), forkRun, forkStep, forkLoop (JSON), advice (JSON), steps (that it is to train), bytes (that
--   it is estimated to take; both of a child are its parent's), seconds (that it takes, roughly),
--   webhook (JSON: url, secret, events; none: its tenant's)
-- Returns the time of creation (ms), 'late', 'full', 'no-parent', 'no-dataset', 'no-checkpoint', or which quota it would
-- exceed: 'over-queued', 'over-steps', 'over-bytes'.

-- The engine's state after a step of a run, kept or its latest; nil when there is none.
local function checkpoint_at(run, step)
  local kept = redis.call('HGET', kept_checkpoint_key(run, step), 'engine')
  if kept then return kept end
  local latest = redis.call('HGET', checkpoint_key(run), 'loop')
  if not latest or cjson.decode(latest).step ~= step then return nil end
  return redis.call('HGET', checkpoint_key(run), 'engine')
end

local at = now_ms()
if at > deadline then return 'late' end
if redis.call('EXISTS', key(id)) == 1 then return field(id, 'createdAt') end
if redis.call('ZCARD', status_key(DEFAULT_TENANT, 'queued')) + redis.call('ZCARD', CHILD_STATUS_PREFIX .. 'queued') >= most then return 'full' end
if parent and redis.call('EXISTS', key(parent)) == 0 then return 'no-parent' end
local owner = tenant or (parent and tenant_of(parent)) or DEFAULT_TENANT
if digest then
  local entry = redis.call('HGET', datasets_key(owner), dataset)
  if not entry or cjson.decode(entry).digest ~= digest then return 'no-dataset' end
end
local over = not parent and exceeded(owner, steps, bytes)
if over then return over end
local committed = 0
if forkRun then
  local engine = checkpoint_at(forkRun, forkStep)
  if not engine then return 'no-checkpoint' end
  committed = forkStep
  redis.call('HSET', checkpoint_key(id), 'loop', forkLoop, 'engine', engine)
  for _, name in ipairs({'engineBuild', 'numerics'}) do
    local value = field(forkRun, name)
    if value then redis.call('HSET', key(id), name, value) end
  end
end
redis.call('HSET', key(id), 'id', id, 'spec', spec, 'createdAt', at, 'committed', committed, 'first', committed, 'fence', 0, 'epoch', 0, 'crashes', 0, 'attempts', 0, 'traceId', traceId)
if parent then redis.call('HSET', key(id), 'parent', parent) end
if owner ~= DEFAULT_TENANT then redis.call('HSET', key(id), 'tenant', owner) end
if seconds then redis.call('HSET', key(id), 'seconds', seconds) end
if advice then redis.call('HSET', key(id), 'advice', advice) end
if waitsFor then
  redis.call('HSET', key(id), 'waitsFor', waitsFor)
  redis.call('HSET', WAITING_KEY, id, waitsFor)
end
-- Children are their parent's.
local hook = not parent and redis.call('HGET', root_of(owner) .. WEBHOOK_SUFFIX, 'events')
if webhook then
  local own = cjson.decode(webhook)
  redis.call('HSET', webhook_key(id), 'round', 0, 'events', ' ' .. table.concat(own.events, ' ') .. ' ', 'url', own.url, 'secret', own.secret)
elseif hook then
  redis.call('HSET', webhook_key(id), 'round', 0, 'events', hook)
end
for _, index in ipairs(KEYS) do redis.call('ZADD', index, 0, id) end
list_labels(id)
if not parent then
  redis.call('HSET', key(id), 'bytes', string.format('%.0f', bytes))
  count_bytes(owner, bytes)
  count_steps(owner, steps)
end
set_status(id, 'create', 'queued')
return tostring(at)
