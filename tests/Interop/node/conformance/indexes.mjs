// Manual: "Indexes" (unique, sparse, partial), the commands createIndexes, listIndexes and dropIndexes.
import { assert, fails, test } from './harness.mjs';

test(['command createIndexes', 'command listIndexes'], 'an index has a name of its keys', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  assert.equal(await coll.createIndex({ a: 1, 'b.c': -1 }), 'a_1_b.c_-1');
  assert.deepEqual(await coll.listIndexes().toArray(), [{ v: 2, key: { _id: 1 }, name: '_id_' }, { v: 2, key: { a: 1, 'b.c': -1 }, name: 'a_1_b.c_-1' }]);
});
test('command createIndexes', 'tells how many there are', async ({ db, coll }) => {
  const index = { key: { a: 1 }, name: 'a' };
  const first = await db.command({ createIndexes: coll.collectionName, indexes: [index, { key: { b: 1 }, name: 'b', unique: true }] });
  assert.deepEqual([first.numIndexesBefore, first.numIndexesAfter, first.createdCollectionAutomatically], [1, 3, true]);
  const again = await db.command({ createIndexes: coll.collectionName, indexes: [index] });
  assert.deepEqual([again.numIndexesBefore, again.numIndexesAfter, again.note], [3, 3, 'all indexes already exist']);
});
test('command createIndexes', 'shows its options', async ({ coll }) => {
  await coll.createIndex({ a: 1 }, { name: 'one', unique: true, partialFilterExpression: { a: { $exists: true } } });
  await coll.createIndex({ b: 1 }, { name: 'two', sparse: true });
  const [, one, two] = await coll.listIndexes().toArray();
  assert.deepEqual(one, { v: 2, key: { a: 1 }, name: 'one', unique: true, partialFilterExpression: { a: { $exists: true } } });
  assert.deepEqual(two, { v: 2, key: { b: 1 }, name: 'two', sparse: true });
});
test('command createIndexes', 'a unique index refuses a second of a value', async ({ coll, seed }) => {
  await coll.createIndex({ a: 1 }, { unique: true });
  await seed({ _id: 1, a: 1 });
  const error = await fails(11000, () => coll.insertOne({ _id: 2, a: 1.0 }));
  assert.deepEqual([error.keyPattern, error.keyValue], [{ a: 1 }, { a: 1 }]);
});
test('command createIndexes', 'in a unique index missing fields are null', async ({ coll, seed }) => {
  await coll.createIndex({ a: 1 }, { unique: true });
  await seed({ _id: 1 });
  await fails(11000, () => coll.insertOne({ _id: 2, a: null }));
});
test('command createIndexes', 'in a unique index each element of an array counts', async ({ coll, seed }) => {
  await coll.createIndex({ a: 1 }, { unique: true });
  await seed({ _id: 1, a: [1, 2] });
  await fails(11000, () => coll.insertOne({ _id: 2, a: [2, 3] }));
  await coll.insertOne({ _id: 3, a: [5, 5] });
});
test('command createIndexes', 'a unique compound index compares all of its keys', async ({ coll, seed }) => {
  await coll.createIndex({ a: 1, b: 1 }, { unique: true });
  await seed({ a: 1, b: 1 }, { a: 1, b: 2 });
  await fails(11000, () => coll.insertOne({ a: 1, b: 2 }));
});
test('command createIndexes', 'a unique sparse index leaves out documents without the field', async ({ coll, seed }) => {
  await coll.createIndex({ a: 1 }, { unique: true, sparse: true });
  await seed({ _id: 1 }, { _id: 2 }, { _id: 3, a: null });
  await fails(11000, () => coll.insertOne({ _id: 4, a: null }));
});
test('command createIndexes', 'a unique partial index leaves out what its filter does', async ({ coll, seed }) => {
  await coll.createIndex({ a: 1 }, { unique: true, partialFilterExpression: { b: { $gt: 5 } } });
  await seed({ a: 1, b: 1 }, { a: 1, b: 2 }, { a: 1, b: 6 });
  await fails(11000, () => coll.insertOne({ a: 1, b: 7 }));
});
test('command createIndexes', 'a unique index is not built over duplicates', async ({ coll, seed }) => {
  await seed({ a: 1 }, { a: 1 });
  await fails(11000, () => coll.createIndex({ a: 1 }, { unique: true }));
  assert.equal((await coll.indexes()).length, 1);
});
test('command createIndexes', 'the same key under another name is an error', async ({ coll }) => {
  await coll.createIndex({ a: 1 });
  await fails(85, () => coll.createIndex({ a: 1 }, { name: 'other' }));
});
test('command createIndexes', 'the same name for another key is an error', async ({ coll }) => {
  await coll.createIndex({ a: 1 }, { name: 'x' });
  await fails(86, () => coll.createIndex({ b: 1 }, { name: 'x' }));
});
test('command createIndexes', 'the same name and key with another option is an error', async ({ coll }) => {
  await coll.createIndex({ a: 1 });
  await fails([85, 86], () => coll.createIndex({ a: 1 }, { unique: true }));
});
test('command createIndexes', 'does not index two arrays of a document together', async ({ coll }) => {
  await coll.createIndex({ a: 1, b: 1 });
  await fails(171, () => coll.insertOne({ a: [1], b: [2] }));
});
test('command createIndexes', 'an empty key is an error', async ({ db, coll }) => {
  await fails(67, () => db.command({ createIndexes: coll.collectionName, indexes: [{ key: {}, name: 'x' }] }));
});
test('command createIndexes', 'a key of 0 is an error', async ({ db, coll }) => {
  await fails(67, () => db.command({ createIndexes: coll.collectionName, indexes: [{ key: { a: 0 }, name: 'x' }] }));
});
test('command createIndexes', 'an unknown option is an error', async ({ db, coll }) => {
  await fails(197, () => db.command({ createIndexes: coll.collectionName, indexes: [{ key: { a: 1 }, name: 'x', nonsense: 1 }] }));
});
test('command createIndexes', 'sparse and partial do not mix', async ({ coll }) => {
  await fails(67, () => coll.createIndex({ a: 1 }, { sparse: true, partialFilterExpression: { b: 1 } }));
});
test('command createIndexes', 'not every operator limits a partial index', async ({ coll }) => {
  await fails(67, () => coll.createIndex({ a: 1 }, { partialFilterExpression: { b: { $regex: 'x' } } }));
});
test('command createIndexes', 'a name is required', async ({ db, coll }) => {
  await fails(9, () => db.command({ createIndexes: coll.collectionName, indexes: [{ key: { a: 1 } }] }));
});
test('command listIndexes', 'of a collection that is not there is an error', async ({ db, coll }) => {
  await fails(26, () => db.command({ listIndexes: coll.collectionName }));
});
test('command dropIndexes', 'by name', async ({ db, coll }) => {
  await coll.createIndex({ a: 1 });
  assert.equal((await db.command({ dropIndexes: coll.collectionName, index: 'a_1' })).nIndexesWas, 2);
  assert.equal((await coll.indexes()).length, 1);
});
test('command dropIndexes', 'by key', async ({ db, coll }) => {
  await coll.createIndex({ a: 1 });
  await db.command({ dropIndexes: coll.collectionName, index: { a: 1 } });
  assert.equal((await coll.indexes()).length, 1);
});
test('command dropIndexes', 'by several names, or all but that on _id', async ({ db, coll }) => {
  for (const name of ['a', 'b', 'c', 'd']) await coll.createIndex({ [name]: 1 });
  await db.command({ dropIndexes: coll.collectionName, index: ['a_1', 'b_1'] });
  assert.deepEqual((await coll.indexes()).map(index => index.name), ['_id_', 'c_1', 'd_1']);
  await coll.dropIndexes();
  assert.deepEqual((await coll.indexes()).map(index => index.name), ['_id_']);
});
test('command dropIndexes', 'what is unique no more may be there twice', async ({ coll, seed }) => {
  await coll.createIndex({ a: 1 }, { unique: true });
  await coll.dropIndex('a_1');
  await seed({ a: 1 }, { a: 1 });
});
test('command dropIndexes', 'of an index that is not there is an error', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  await fails(27, () => coll.dropIndex('none'));
});
test('command dropIndexes', 'the index on _id stays', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  await fails(72, () => coll.dropIndex('_id_'));
});
test('command dropIndexes', 'of a collection that is not there is an error', async ({ db, coll }) => {
  await fails(26, () => db.command({ dropIndexes: coll.collectionName, index: '*' }));
});
test('command find', 'a hint names an index', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  await coll.createIndex({ a: 1 });
  assert.deepEqual(await coll.find({ a: 1 }).hint('a_1').toArray(), [{ _id: 1, a: 1 }]);
  assert.deepEqual(await coll.find({ a: 1 }).hint({ a: 1 }).toArray(), [{ _id: 1, a: 1 }]);
  await fails(2, () => coll.find({ a: 1 }).hint('none').toArray());
});
