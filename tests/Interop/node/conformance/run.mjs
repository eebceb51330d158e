// The conformance suite: what MongoDB's manual promises, asked of a server through the official driver, which may be any of
// version 7.0 or newer. A standalone is not asked what only a replica set can do.
//
//   node conformance/run.mjs mongodb://host:port [--json]
//
// Prints one line for each case and fails if one does. With --json each line is an object { theme, name, subjects, ok, message },
// or { theme, name, subjects, skipped } with a reason, and only a suite that cannot run at all fails.
import { MongoClient } from 'mongodb';
import { cases, Skipped, startTheme } from './harness.mjs';

const themes = [
  'commands', 'crud', 'queries', 'projections', 'updates', 'arrays', 'stages', 'expressions', 'accumulators', 'indexes', 'cursors',
  'collections', 'explain', 'replicaSet', 'errors',
];
const timeLimit = 20000;

const [uri, format] = process.argv.slice(2);
if (!uri || (format && format !== '--json')) throw new Error('Usage: node run.mjs <connection string> [--json]');

for (const theme of themes) {
  startTheme(theme);
  await import(`./${theme}.mjs`);
}

const client = new MongoClient(uri, { monitorCommands: true, serverSelectionTimeoutMS: 20000 });
let sent = [];
client.on('commandStarted', event => sent.push(event));

// Subjects that a command must have named; the others are themes of their own.
const isNamed = subject => /^(command|query|update|stage|expression|accumulator) /.test(subject);

// Everything that a command names: itself, and the operators and stages in it.
function namesIn(commands) {
  const names = new Set(commands.map(event => event.commandName));
  const visit = value => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (value && typeof value === 'object' && !value._bsontype && !Buffer.isBuffer(value)) {
      for (const [name, item] of value instanceof Map ? value : Object.entries(value)) {
        names.add(name);
        visit(item);
      }
    }
  };
  commands.forEach(event => visit(event.command));
  return names;
}

function withTimeLimit(action) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${timeLimit} ms`)), timeLimit);
  });
  return Promise.race([action, limit]).finally(() => clearTimeout(timer));
}

async function runCase({ name, subjects, run }, db, collectionName) {
  const coll = db.collection(collectionName);
  sent = [];
  try {
    await withTimeLimit(run({ uri, client, db, coll, seed: (...documents) => coll.insertMany(documents) }));
  } catch (error) {
    if (error instanceof Skipped) return { skipped: error.message };
    return { ok: false, message: error.message };
  }

  // A case proves nothing of what it has not asked for.
  const names = namesIn(sent);
  const missing = subjects.map(subject => subject.split(' ').at(-1)).filter((subject, i) => isNamed(subjects[i]) && !names.has(subject));
  return missing.length === 0 ? { ok: true, message: '' } : { ok: false, message: `the case never sent ${missing.join(', ')}` };
}

const databaseOf = theme => client.db(`conformance_${theme}`);
let failed = 0;
try {
  await client.connect();
  const isReplicaSet = Boolean((await client.db('admin').command({ hello: 1 })).setName);
  for (const theme of themes) await databaseOf(theme).dropDatabase();
  for (const [index, definition] of cases.entries()) {
    const { theme, name, subjects, needsReplicaSet } = definition;
    const result = needsReplicaSet && !isReplicaSet
      ? { skipped: 'needs a replica set' }
      : await runCase(definition, databaseOf(theme), `case${index}`);
    if (result.ok === false) failed++;
    console.log(format
      ? JSON.stringify({ theme, name, subjects, ...result })
      : `${result.skipped ? 'skipped' : result.ok ? 'ok' : 'NOT OK'} ${theme} - ${name}${result.skipped ? ` (${result.skipped})` : result.ok ? '' : `\n    ${result.message}`}`);
  }

  for (const theme of themes) await databaseOf(theme).dropDatabase();
} finally {
  await client.close();
}

if (!format && failed > 0) {
  console.log(`${failed} of ${cases.length} cases failed.`);
  process.exitCode = 1;
}
