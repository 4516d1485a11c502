-- Stores queued records, all of them or none. Of a fork three say which checkpoint it begins with, and the loop's state to go with it.
-- KEYS: of each record, as many as of any other, the indexes that it is to stand in, besides those of its labels
-- ARGV: deadline (ms of Redis time; later than that nothing is created), most (waiting records), traceId, parent (the record that
--   they belong to), tenant (whose they are; none: their parent's)
-- Items: id, spec (JSON), waitsFor (the search whose answer completes it), dataset (its name), digest (that the dataset must
--   have; none: any), forkRun, forkStep, forkLoop (JSON), advice (JSON), steps (that it is to train), bytes (that it is estimated to
--   take; both of a child are its parent's), seconds (that it takes, roughly), webhook (JSON: url, secret, events; none: its tenant's)
-- Returns the time of creation (ms) of each, or why there is none: 'late', 'full', 'no-parent', 'no-dataset', 'no-checkpoint', or
-- which quota they would exceed: 'over-queued', 'over-steps', 'over-bytes'.

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

-- What is there already stays as it is.
local fresh, times = {}, {}
for i = 1, item_count do
  local record = item(i)
  local created = field(record.id, 'createdAt')
  times[i] = created or tostring(at)
  if not created then
    record.place = i
    table.insert(fresh, record)
  end
end
if #fresh == 0 then return times end
if redis.call('ZCARD', status_key(DEFAULT_TENANT, 'queued')) + redis.call('ZCARD', CHILD_STATUS_PREFIX .. 'queued') + #fresh > most then return 'full' end
if parent and redis.call('EXISTS', key(parent)) == 0 then return 'no-parent' end
local owner = tenant or (parent and tenant_of(parent)) or DEFAULT_TENANT

local digests, steps, bytes = {}, 0, 0
for _, record in ipairs(fresh) do
  if record.digest then
    if not digests[record.dataset] then
      local entry = redis.call('HGET', datasets_key(owner), record.dataset)
      digests[record.dataset] = entry and cjson.decode(entry).digest or 'none'
    end
    if digests[record.dataset] ~= record.digest then return 'no-dataset' end
  end
  steps, bytes = steps + record.steps, bytes + record.bytes
end
local over = not parent and exceeded(owner, steps, bytes, #fresh)
if over then return over end
for _, record in ipairs(fresh) do
  if record.forkRun then
    record.engine = checkpoint_at(record.forkRun, record.forkStep)
    if not record.engine then return 'no-checkpoint' end
  end
end

-- Children are their parent's.
local tenant_events = not parent and redis.call('HGET', root_of(owner) .. WEBHOOK_SUFFIX, 'events')
local indexes = #KEYS / item_count
for _, record in ipairs(fresh) do
  local id = record.id
  local committed = record.forkRun and record.forkStep or 0
  local fields = {'id', id, 'spec', record.spec, 'createdAt', at, 'committed', committed, 'first', committed, 'fence', 0, 'epoch', 0, 'crashes', 0, 'attempts', 0, 'traceId', traceId}
  local function set(name, value)
    if not value then return end
    table.insert(fields, name)
    table.insert(fields, value)
  end
  if record.forkRun then
    redis.call('HSET', checkpoint_key(id), 'loop', record.forkLoop, 'engine', record.engine)
    set('engineBuild', field(record.forkRun, 'engineBuild'))
    set('numerics', field(record.forkRun, 'numerics'))
  end
  set('parent', parent)
  set('tenant', owner ~= DEFAULT_TENANT and owner)
  set('seconds', record.seconds)
  set('advice', record.advice)
  set('waitsFor', record.waitsFor)
  set('bytes', not parent and string.format('%.0f', record.bytes))
  redis.call('HSET', key(id), unpack(fields))
  if record.waitsFor then redis.call('HSET', WAITING_KEY, id, record.waitsFor) end
  for i = (record.place - 1) * indexes + 1, record.place * indexes do redis.call('ZADD', KEYS[i], 0, id) end
  if record.webhook then
    local own = cjson.decode(record.webhook)
    redis.call('HSET', webhook_key(id), 'round', 0, 'events', ' ' .. table.concat(own.events, ' ') .. ' ', 'url', own.url, 'secret', own.secret)
  elseif tenant_events then
    redis.call('HSET', webhook_key(id), 'round', 0, 'events', tenant_events)
  end
  list_labels(id)
  set_status(id, 'create', 'queued')
end
if not parent then
  count_bytes(owner, bytes)
  count_steps(owner, steps)
end
return times
