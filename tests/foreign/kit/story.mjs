// What a partner does with fhir-kit-client: its orders come in as JSON, what it saw goes out as JSON.
import { readFileSync } from "node:fs";
import { Client } from "fhir-kit-client";

const { base, assertion, scope, person, goals, two } = JSON.parse(readFileSync(0, "utf8"));
const client = new Client({ baseUrl: base });
const seen = {};

const { tokenUrl } = await client.smartAuthMetadata();
const form = {
  grant_type: "client_credentials",
  scope,
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  client_assertion: assertion,
};
const given = await fetch(tokenUrl, { method: "POST", body: new URLSearchParams(form) });
client.bearerToken = (await given.json()).access_token;

const someone = await client.create({ resourceType: "Patient", body: person });
const subject = { reference: `Patient/${someone.id}` };
const made = [];
for (const goal of goals) made.push(await client.create({ resourceType: "Goal", body: { ...goal, subject } }));
seen.made = new Set(made.map((each) => each.id)).size;

const found = new Set();
seen.pages = [];
const asked = { resourceType: "Goal", searchParams: { patient: someone.id, _count: 2 } };
for (let page = await client.search(asked); page; page = await client.nextPage({ bundle: page })) {
  seen.pages.push(page.entry.length);
  for (const { resource } of page.entry) found.add(resource.id);
}
const byForm = await client.search({ resourceType: "Goal", searchParams: { patient: someone.id }, options: { postSearch: true } });
seen.found = byForm.entry.filter(({ resource }) => found.has(resource.id)).length;

const { id } = someone;
const read = await client.read({ resourceType: "Patient", id });
seen.read = JSON.stringify(read) === JSON.stringify(someone);
const updated = await client.update({ resourceType: "Patient", id, body: { ...read, gender: "male" } });
seen.updated = updated.meta.versionId;
seen.gender = (await client.read({ resourceType: "Patient", id })).gender;
seen.former = (await client.vread({ resourceType: "Patient", id, version: "1" })).gender;

const { entry } = await client.transaction({ body: two });
seen.transaction = entry.map(({ response }) => response.status);
const past = await client.history({ resourceType: "Patient", id });
seen.history = past.entry.map(({ resource }) => resource.meta.versionId);
seen.types = (await client.history({ resourceType: "Goal" })).entry.length >= made.length + 1
  && (await client.history()).entry.length >= made.length + 3;

const jsonPatch = [{ op: "replace", path: "/gender", value: "female" }];
seen.patched = (await client.patch({ resourceType: "Patient", id, jsonPatch })).meta.versionId;
await client.delete({ resourceType: "Goal", id: made[0].id });
seen.deleted = await client.read({ resourceType: "Goal", id: made[0].id }).catch(({ response }) => response.status);
seen.refused = await client
  .create({ resourceType: "Patient", body: { resourceType: "Patient", gender: "banana" } })
  .catch(({ response }) => [response.status, response.data.resourceType]);

console.log(JSON.stringify(seen));
