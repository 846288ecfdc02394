-- ARGV: member, code, epoch, grace, time to live or nothing, largest payload here, largest that
-- there may be, most counters, count; then for each message: payload, class and fingerprint, tally,
-- id, digest.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
local member, code, count = ARGV[1], ARGV[2], tonumber(ARGV[9])
local seen, head, answers, payloads, elements, ids = {}, nil, {}, {}, {}, {}
local is_new_life = not st
local seq = st and st.s or 0
local sums = { ['n' .. code] = 0, ['k' .. code] = 0, ['q' .. code] = 0, ['b' .. code] = 0 }
for place = 1, count do
  local at = 5 * place + 5
  local id, digest, known = ARGV[at + 3], ARGV[at + 4], nil
  local element = ARGV[at + 1] .. code .. ARGV[at + 2]
  if id ~= '' then
    known = seen[id]
    if not known and st and st.g > 0 then
      local stored = call('HGET', I, id)
      if stored then
        local colon = string.find(stored, ':', 1, true)
        if not colon then
          return redis.error_reply('DAMAGED ids')
        end
        known = { tonumber(sub(stored, 1, colon - 1)), sub(stored, colon + 1) }
        head = head or read_head(st)
        known[3] = element_at(st, head, known[1]) or ''
      end
    end
    if known and known[2] ~= digest then
      return { 'C', place, known[1] }
    end
  end
  if known then
    answers[place] = { known[1], known[3] }
  else
    seq = seq + 1
    if id ~= '' then
      seen[id] = { seq, digest, element }
      ids[#ids + 1] = id
      ids[#ids + 1] = seq .. ':' .. digest
    end
    answers[place] = seq
    payloads[#payloads + 1] = ARGV[at]
    elements[#elements + 1] = element
    sum(sums, element, 1)
  end
end
if #elements == 0 then
  return { 'A', st and numbers(code) or {}, answers, text(now()) }
end
local has_counter = true
if st then
  local used, found = counters(st, code)
  has_counter = found
  if not found and used >= tonumber(ARGV[8]) then
    return { 'L', used + 1 }
  end
else
  st = {
    e = ARGV[3], first = code, s = 0, h = 1, f = 0, l = 0, v = 0, z = 0, g = 0, c = '-',
    o = '-',
  }
  call('HSET', M, 'e', st.e .. code)
  in_index('ZREM', X, member)
  in_index('ZREM', Y, member)
end
local refused = add_sums(sums)
if refused then
  return refused
end
if st.g == 0 and (is_new_life or #ids > 0) then
  -- What is there is of a life that has ended.
  call('DEL', I)
end
for from = 1, #elements, BATCH do
  local to = math.min(from + BATCH - 1, #elements)
  call('RPUSH', P, unpack(payloads, from, to))
  call('RPUSH', T, unpack(elements, from, to))
end
for from = 1, #ids, BATCH do
  call('HSET', I, unpack(ids, from, math.min(from + BATCH - 1, #ids)))
end
st.s, st.g = seq, st.g + #ids / 2
call('HSET', M, 's', seq)
if not has_counter then
  add_counter(st, code)
end
make_current(st, code)
if st.z == 0 and not is_new_life then
  st.z = tonumber(ARGV[7])
else
  st.z = math.max(st.z, tonumber(ARGV[6]))
end
save(st)
local present, grace = now(), tonumber(ARGV[4])
index(st, member, grace == 0 and 0 or text(present + grace))
local ends, ttl = call('PEXPIRETIME', M), tonumber(ARGV[5])
if ttl and (ends < 0 or present + ttl - ends > ttl / 4) then
  for _, key in ipairs({ M, T, P, I }) do
    call('PEXPIREAT', key, text(present + ttl))
  end
elseif #ids > 0 and ends > 0 then
  call('PEXPIREAT', I, text(ends))
end
return { 'A', numbers(code), answers, text(present) }
