// The cases of the conformance suite and what they are written with. A case has the subjects it proves, such as 'query $eq' or
// 'command insert', and what MongoDB's manual promises of them.
import assert from 'node:assert/strict';

export { assert };

export const cases = [];

let theme;

// Cases defined from now on belong to a theme.
export function startTheme(name) {
  theme = name;
}

// A case for any server. `run` is given { uri, client, db, coll, seed }: a database, a collection in it that is not there yet,
// and a function that fills it.
export function test(subjects, promise, run) {
  add(subjects, promise, run, false);
}

// A case that needs a replica set.
export function testOnReplicaSet(subjects, promise, run) {
  add(subjects, promise, run, true);
}

function add(subjects, promise, run, needsReplicaSet) {
  const all = [subjects].flat();
  cases.push({ theme, subjects: all, name: `${all.join(', ')}: ${promise}`, run, needsReplicaSet });
}

// Ends a case that this server cannot be asked for, with the reason.
export class Skipped extends Error {}

// Asserts that an action fails with this code, or one of these.
export async function fails(codes, action) {
  let result;
  try {
    result = await action();
  } catch (error) {
    assert.ok([codes].flat().includes(error.code), `code ${error.code} instead of ${codes}: ${error.message}`);
    return error;
  }
  return assert.fail(`no error, although ${codes} was due: ${JSON.stringify(result)}`);
}

// The _ids of what a filter finds.
export async function idsOf(coll, filter) {
  return (await coll.find(filter).sort({ _id: 1 }).project({ _id: 1 }).toArray()).map(found => found._id);
}

export const byText = values => [...values].map(value => JSON.stringify(value)).sort();
