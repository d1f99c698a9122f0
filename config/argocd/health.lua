-- Health of objects of rowlock.dev for Argo CD: what their condition Ready says about their present form.
local waiting = {status = "Progressing", message = "the operator has not looked at it yet"}

if obj.kind == "ReferenceGrant" then
    return {status = "Healthy", message = "a consent has no state"}
end
if obj.kind == "Engine" and obj.spec ~= nil and obj.spec.paused == true then
    return {status = "Suspended", message = "paused"}
end
if obj.status == nil or obj.status.conditions == nil then
    return waiting
end
for _, condition in ipairs(obj.status.conditions) do
    if condition.type == "Ready" then
        if condition.observedGeneration ~= obj.metadata.generation then
            return waiting
        end
        local message = condition.reason
        if condition.message ~= nil and condition.message ~= "" then
            message = message .. ": " .. condition.message
        end
        if condition.status == "True" then
            return {status = "Healthy", message = message}
        end
        if condition.status == "Unknown" or condition.reason == "Pending" or condition.reason == "NoReadyPod" then
            return {status = "Progressing", message = message}
        end
        return {status = "Degraded", message = message}
    end
end
return waiting
