-- ARGV: member, code, backlog, lease in milliseconds, whether it is claimed by name, most counters.
local present = now()
local member, code, by_name = ARGV[1], ARGV[2], ARGV[5] == '1'
local queue = ARGV[3] == 'b' and Y or X
begin_to_free()
local until_ = text(present + tonumber(ARGV[4]))
local st, damage = load()
if damage then
  if by_name then
    return redis.error_reply(damage)
  end
  -- One damaged conversation does not keep the others from being counted.
  call('ZADD', queue, until_, member)
  return { 'N', text(present) }
end
if not st then
  call('ZREM', X, member)
  call('ZREM', Y, member)
  return { 'N', text(present) }
end
if by_name then
  local used, found = counters(st, code)
  if not found then
    if used >= tonumber(ARGV[6]) then
      return { 'L', used + 1 }
    end
    add_counter(st, code)
  end
  if not found or current(st) ~= code then
    make_current(st, code)
    save(st)
  end
elseif current(st) ~= code then
  return { 'N', text(present) }
end
index(st, member, 0)
local due = call('ZSCORE', queue, member)
if not due or (not by_name and tonumber(due) > present) then
  return { 'N', text(present) }
end
call('ZADD', queue, until_, member)
return { 'C', text(present), numbers(code) }
