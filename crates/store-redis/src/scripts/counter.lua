-- ARGV: member, code, most counters, largest payload that was just written or 0.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
if not st then
  return { 'N' }
end
begin_to_free()
local code = ARGV[2]
local used, found = counters(st, code)
if not found then
  if used >= tonumber(ARGV[3]) then
    return { 'L', used + 1 }
  end
  add_counter(st, code)
end
local largest = tonumber(ARGV[4])
local is_larger = st.z > 0 and largest > st.z
if is_larger then
  st.z = largest
end
local changed = not found or current(st) ~= code or is_larger
if changed then
  make_current(st, code)
  save(st)
end
index(st, ARGV[1], 0)
return { 'S', numbers(code), changed and 1 or 0 }
