"use strict";
const at = (id) => document.getElementById(id);

async function status() {
  const [version, health] = await Promise.all([fetch("/v1/version"), fetch("/healthz")]);
  at("status").textContent = `Version ${(await version.json()).rowlock}. Health: ${await health.text()}.`;
}

async function run(event) {
  event.preventDefault();
  const headers = { "content-type": "application/json" };
  for (const line of at("headers").value.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  try {
    const variables = JSON.parse(at("variables").value || "{}");
    const body = JSON.stringify({ query: at("query").value, variables });
    const answer = await fetch("/v1/graphql", { method: "POST", headers, body });
    at("answer").textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (error) {
    at("answer").textContent = String(error);
  }
}

at("form").addEventListener("submit", run);
status().catch((error) => { at("status").textContent = String(error); });
