// Manual: "Error Codes", "Naming Restrictions", "Read Concern", "Write Concern".
import { assert, fails, test } from './harness.mjs';

test('errors', 'a reply names its code', async ({ db }) => {
  const error = await fails(26, () => db.command({ listIndexes: 'none' }));
  assert.deepEqual([error.ok, error.codeName], [0, 'NamespaceNotFound']);
});
for (const [promise, code, command] of [
  ['a filter that is no document', 14, { find: 'c', filter: [] }],
  ['a sort by 5', [2, 15975], { find: 'c', sort: { a: 5 } }],
  ['a collection name that is no text', [73, 2], { find: 5 }],
  ['documents that are none', 14, { insert: 'c', documents: 5 }],
  ['no documents field', 40414, { insert: 'c' }],
  ['an update without u', [40414, 9], { update: 'c', updates: [{ q: {} }] }],
  ['an update with an unknown field', 40415, { update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, nonsense: 1 }] }],
  ['a delete with an unknown field', 40415, { delete: 'c', deletes: [{ q: {}, limit: 1, nonsense: 1 }] }],
  ['a pipeline that is none', 14, { aggregate: 'c', pipeline: 5, cursor: {} }],
  ['a key of distinct that is no text', 14, { distinct: 'c', key: 5 }],
  ['an unknown read concern', [2, 9], { find: 'c', readConcern: { level: 'nonsense' } }],
  ['an unknown field of a read concern', [40415, 72], { find: 'c', readConcern: { nonsense: 1 } }],
  ['no indexes', 2, { createIndexes: 'c', indexes: [] }],
  ['getMore of an int', 14, { getMore: 5, collection: 'c' }],
  ['a collection of the system', 73, { create: 'system.nonsense' }],
  ['a name that begins with a dot', 73, { create: '.a' }],
  ['a name that is too long', 73, { create: 'x'.repeat(300) }],
  ['a negative batch size', [51024, 2, 9], { find: 'c', batchSize: -1 }],
  ['a write concern of a read', [72, 9], { find: 'c', writeConcern: { w: 1 } }],
]) {
  test('errors', `${promise} is an error`, async ({ db }) => {
    await fails(code, () => db.command(command));
  });
}
test('errors', 'two databases do not differ in case alone', async ({ client, db, seed }) => {
  await seed({ _id: 1 });
  await fails(13297, () => client.db(db.databaseName.toUpperCase()).collection('c').insertOne({ _id: 1 }));
});
test('errors', 'an update of an embedded path in two operators names the path', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  const error = await fails(40, () => coll.updateOne({}, { $set: { 'a.b': 1 }, $unset: { a: 1 } }));
  assert.match(error.message, /conflict at 'a'/);
});
test('errors', 'a document that is too large is an error', async ({ db, coll }) => {
  // Within the limit of what a driver sends, beyond it with the growth of an update.
  await coll.insertOne({ _id: 1, a: 'x'.repeat(9 * 1024 * 1024) });
  await fails(17419, () => coll.updateOne({ _id: 1 }, { $set: { b: 'x'.repeat(9 * 1024 * 1024) } }));
});
