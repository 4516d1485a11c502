-- For the scripts that store or delete what counts towards a tenant's quotas. Bytes count as they were quoted, from the creation
-- of a record to its deletion, a child's with its parent's; steps on the day (UTC) on which they were asked for.

local function use_key(tenant) return root_of(tenant) .. USE_SUFFIX end
local function today() return tostring(math.floor(now_ms() / 86400000)) end

local function steps_today(tenant)
  local day, steps = unpack(redis.call('HMGET', use_key(tenant), 'day', 'steps'))
  return day == today() and tonumber(steps) or 0
end

-- Which quota so much more would exceed; nil: none. `records`: that are to wait; nil: none.
local function exceeded(tenant, steps, bytes, records)
  local most = redis.call('HMGET', root_of(tenant) .. QUOTAS_SUFFIX, 'queued', 'stepsPerDay', 'bytes')
  local queued, steps_per_day, all_bytes = tonumber(most[1] or nil), tonumber(most[2] or nil), tonumber(most[3] or nil)
  if queued and records and redis.call('ZCARD', status_key(tenant, 'queued')) + records > queued then return 'over-queued' end
  if steps_per_day and steps and steps_today(tenant) + steps > steps_per_day then return 'over-steps' end
  if all_bytes and bytes > 0 and tonumber(redis.call('HGET', use_key(tenant), 'bytes') or '0') + bytes > all_bytes then return 'over-bytes' end
end

-- Texts from before bytes were counted leave without having come.
local function count_bytes(tenant, bytes)
  if bytes == 0 then return end
  if redis.call('HINCRBY', use_key(tenant), 'bytes', string.format('%.0f', bytes)) < 0 then redis.call('HSET', use_key(tenant), 'bytes', 0) end
end

local function count_steps(tenant, steps)
  redis.call('HSET', use_key(tenant), 'steps', string.format('%.0f', steps_today(tenant) + steps), 'day', today())
end
