-- wrk: posts prepared bodies in turn. Each line of the first file is a body, then, each after a tab, headers of its
-- own ("name: value"). The second file has the headers of all requests, one a line. The result is one line of JSON.
local requests, at = {}, 0

local function header(line)
  return line:match("^([^:]+): (.*)$")
end

function init(arguments)
  local shared = { ["Content-Type"] = "application/json" }
  for line in io.lines(arguments[2]) do
    local name, value = header(line)
    shared[name] = value
  end
  for line in io.lines(arguments[1]) do
    local own, body = setmetatable({}, { __index = shared }), nil
    for part in line:gmatch("[^\t]+") do
      if body then
        local name, value = header(part)
        own[name] = value
      else
        body = part
      end
    end
    local all = {}
    for name, value in pairs(shared) do all[name] = value end
    for name, value in pairs(own) do all[name] = value end
    requests[#requests + 1] = wrk.format("POST", nil, all, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "bytes": %d, "failed": %d, "p50": %d, "p99": %d, "max": %d}\n',
    summary.requests, summary.duration, summary.bytes,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
