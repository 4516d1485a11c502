-- The sorted set of a tenant's owners of work by what they will have had once what is queued is done, and the one that a run is.
local function fair_owner(id)
  local round = redis.call('HGET', FAIR_KEY, 'round') or '0'
  return FAIR_KEY .. ':' .. round .. ':' .. tenant_of(id), field(id, 'parent') or 'runs'
end

-- Seconds that are taken for a turn before it is measured: what the run takes, as much as a turn may be, and what any turn costs.
local function turn_of(id, slice, least) return math.max(least, math.min(number(id, 'seconds'), slice)) end
