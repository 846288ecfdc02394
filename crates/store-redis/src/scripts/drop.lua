-- ARGV: member, count.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
if not st then
  return { 0, 1 }
end
local count = tonumber(ARGV[2])
local behind = st.f == 0 and st.s or st.s - st.f + 1
local from_tail = math.min(count, behind)
local from_head = math.min(count - from_tail, st.l)
if from_tail + from_head <= 0 then
  return { 0, st.s + 1 }
end
local sums, ids = {}, {}

local function forget(payload)
  local id = id_of(payload)
  if id then
    ids[#ids + 1] = id
  end
end

local seq = st.s - from_tail + 1
while seq <= st.s do
  local at = seq - st.h
  local to = math.min(seq + BATCH - 1, st.s) - st.h
  for _, element in ipairs(call('LRANGE', T, at, to)) do
    sum(sums, element, -1)
  end
  seq = seq + BATCH
end
if st.g > 0 then
  local chunk = payloads_at_once(st)
  for from = st.s - from_tail + 1, st.s, chunk do
    local to = math.min(from + chunk - 1, st.s) - st.h
    for _, payload in ipairs(call('LRANGE', P, from - st.h, to)) do
      forget(payload)
    end
  end
end
local head = from_head > 0 and read_head(st)
if head then
  for _ = 1, from_head do
    local kept = table.remove(head)
    sum(sums, kept[1], -1)
    forget(kept[2])
  end
end
local refused = change_sums(sums)
if refused then
  return refused
end
if head then
  write_head(head)
end
for from = 1, #ids, BATCH do
  local gone = call('HDEL', I, unpack(ids, from, math.min(from + BATCH - 1, #ids)))
  st.g = math.max(0, st.g - gone)
end
local left = st.s - st.h + 1 - from_tail
st.s, st.l, st.v = st.s - from_tail, st.l - from_head, st.v + 1
for _, list in ipairs({ T, P }) do
  if left > 0 then
    call('LTRIM', list, 0, left - 1)
  else
    -- The lists must not vanish, or they would come back without their expiry.
    call('LTRIM', list, 0, 0)
    call('LSET', list, 0, '')
  end
end
if left <= 0 then
  st.h = st.s
end
call('HSET', M, 's', text(st.s))
save(st)
index(st, ARGV[1], 0)
return { from_tail + from_head, st.s + 1 }
