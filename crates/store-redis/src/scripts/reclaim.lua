-- Gives back the space of some messages that a trim has passed, at most 8 MiB of payloads. At least
-- one element stays, so that the lists keep their expiry.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
if not st or st.f == 0 then
  return 0
end
local left = math.min(st.f, st.s) - st.h
local count = math.min(left, payloads_at_once(st))
if count <= 0 then
  return 0
end
call('LTRIM', T, count, -1)
call('LTRIM', P, count, -1)
st.h = st.h + count
save(st)
return left - count
