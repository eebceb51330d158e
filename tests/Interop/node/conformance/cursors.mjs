// Manual: "Cursors", the commands getMore and killCursors, "Cursor Batches".
import { Long } from 'mongodb';
import { assert, fails, test } from './harness.mjs';

const many = count => Array.from({ length: count }, (_, i) => ({ _id: i }));

test(['command find', 'command getMore'], 'a first batch has 101 documents', async ({ db, coll, seed }) => {
  await seed(...many(250));
  const { cursor } = await db.command({ find: coll.collectionName });
  assert.equal(cursor.firstBatch.length, 101);
  assert.equal(cursor.ns, `${db.databaseName}.${coll.collectionName}`);
  const more = await db.command({ getMore: Long.fromValue(cursor.id), collection: coll.collectionName });
  assert.equal(more.cursor.nextBatch.length, 149);
  assert.equal(Number(more.cursor.id), 0);
});
test('command getMore', 'a driver reads all of them', async ({ coll, seed }) => {
  await seed(...many(25));
  assert.deepEqual((await coll.find({}).sort({ _id: 1 }).batchSize(4).toArray()).map(found => found._id), many(25).map(({ _id }) => _id));
});
test('command getMore', 'has as many documents as it asks for', async ({ db, coll, seed }) => {
  await seed(...many(10));
  const { cursor } = await db.command({ find: coll.collectionName, batchSize: 2 });
  const more = await db.command({ getMore: Long.fromValue(cursor.id), collection: coll.collectionName, batchSize: 3 });
  assert.deepEqual([cursor.firstBatch.length, more.cursor.nextBatch.length, String(more.cursor.id)], [2, 3, String(cursor.id)]);
});
test('command find', 'a batch of 0 opens a cursor', async ({ db, coll, seed }) => {
  await seed(...many(3));
  const { cursor } = await db.command({ find: coll.collectionName, batchSize: 0 });
  assert.equal(cursor.firstBatch.length, 0);
  assert.notEqual(Number(cursor.id), 0);
});
test('command find', 'a single batch leaves no cursor', async ({ db, coll, seed }) => {
  await seed(...many(10));
  const { cursor } = await db.command({ find: coll.collectionName, batchSize: 4, singleBatch: true });
  assert.deepEqual([cursor.firstBatch.length, Number(cursor.id)], [4, 0]);
});
test('command find', 'a limit ends the cursor', async ({ db, coll, seed }) => {
  await seed(...many(10));
  const { cursor } = await db.command({ find: coll.collectionName, limit: 4 });
  assert.deepEqual([cursor.firstBatch.length, Number(cursor.id)], [4, 0]);
});
test(['command aggregate', 'command getMore'], 'an aggregation has a cursor', async ({ coll, seed }) => {
  await seed(...many(10));
  assert.equal((await coll.aggregate([{ $match: {} }], { batchSize: 3 }).toArray()).length, 10);
});
test('command getMore', 'of a cursor that is not there is an error', async ({ db, coll }) => {
  await fails(43, () => db.command({ getMore: Long.fromNumber(123456789), collection: coll.collectionName }));
});
test('command getMore', 'of another collection is an error', async ({ db, coll, seed }) => {
  await seed(...many(10));
  const { cursor } = await db.command({ find: coll.collectionName, batchSize: 2 });
  await fails(13, () => db.command({ getMore: Long.fromValue(cursor.id), collection: 'other' }));
});
test('command getMore', 'after the collection was dropped is an error', async ({ db, coll, seed }) => {
  await seed(...many(10));
  const { cursor } = await db.command({ find: coll.collectionName, batchSize: 2 });
  await coll.drop();
  await fails([43, 175], () => db.command({ getMore: Long.fromValue(cursor.id), collection: coll.collectionName }));
});
test('command killCursors', 'kills cursors', async ({ db, coll, seed }) => {
  await seed(...many(10));
  const { cursor } = await db.command({ find: coll.collectionName, batchSize: 2 });
  const unknown = Long.fromNumber(987654321);
  const reply = await db.command({ killCursors: coll.collectionName, cursors: [Long.fromValue(cursor.id), unknown] });
  assert.deepEqual([reply.cursorsKilled.map(String), reply.cursorsNotFound.map(String), reply.cursorsAlive, reply.cursorsUnknown], [[String(cursor.id)], [String(unknown)], [], []]);
  await fails(43, () => db.command({ getMore: Long.fromValue(cursor.id), collection: coll.collectionName }));
});
test('command killCursors', 'closing a cursor kills it', async ({ coll, seed }) => {
  await seed(...many(10));
  const cursor = coll.find({}).batchSize(2);
  await cursor.next();
  await cursor.close();
});
