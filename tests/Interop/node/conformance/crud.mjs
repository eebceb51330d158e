// Manual: "MongoDB CRUD Operations", the commands insert, find, update, delete, findAndModify, count and distinct.
import { Binary, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'mongodb';
import { assert, fails, idsOf, test } from './harness.mjs';

const people = [{ _id: 1, name: 'a', age: 30 }, { _id: 2, name: 'b', age: 20 }, { _id: 3, name: 'c', age: 40 }];

test('command insert', 'stores a document', async ({ coll }) => {
  const result = await coll.insertOne({ _id: 1, a: { b: [1, 'x'] } });
  assert.deepEqual([result.acknowledged, result.insertedId], [true, 1]);
  assert.deepEqual(await coll.findOne({}), { _id: 1, a: { b: [1, 'x'] } });
});
test('command insert', 'makes an _id where there is none, and puts it first', async ({ db, coll }) => {
  assert.equal((await db.command({ insert: coll.collectionName, documents: [{ a: 1 }] })).n, 1);
  const found = await coll.findOne({});
  assert.ok(found._id instanceof ObjectId);
  await db.command({ insert: coll.collectionName, documents: [{ a: 2, _id: 5 }] });
  assert.deepEqual(Object.keys(await coll.findOne({ _id: 5 })), ['_id', 'a']);
});
test('command insert', 'keeps every type', async ({ coll, seed }) => {
  const values = {
    _id: 1, double: new Double(1.5), text: 'é', document: {}, list: [], binary: new Binary(Buffer.from([1, 2]), 5), uuid: new UUID('00112233-4455-6677-8899-aabbccddeeff'),
    objectId: new ObjectId('5ab9c3da31c2ab715d421285'), yes: true, date: new Date(-1), nothing: null, regex: /a.b/i, code: new Code('x'),
    int: new Int32(-5), timestamp: new Timestamp({ t: 5, i: 6 }), long: Long.fromString('9007199254740993'), decimal: Decimal128.fromString('1.10'), min: new MinKey(), max: new MaxKey(),
  };
  await seed(values);
  const kept = await coll.findOne({}, { promoteValues: false });
  for (const [name, value] of Object.entries(values)) {
    const found = kept[name];
    assert.equal(JSON.stringify(found), JSON.stringify(name === 'regex' ? found : value), name);
  }
  assert.deepEqual(kept.long, values.long);
});
test('command insert', 'an _id is there once', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  const error = await fails(11000, () => coll.insertOne({ _id: 1 }));
  assert.match(error.message, /^E11000 duplicate key error/);
  assert.deepEqual([error.keyPattern, error.keyValue], [{ _id: 1 }, { _id: 1 }]);
});
test('command insert', 'in order stops at the first error', async ({ coll }) => {
  const error = await fails(11000, () => coll.insertMany([{ _id: 1 }, { _id: 1 }, { _id: 2 }]));
  assert.equal(error.result.insertedCount, 1);
  assert.deepEqual(await idsOf(coll, {}), [1]);
});
test('command insert', 'without order goes on after an error', async ({ coll }) => {
  const error = await fails(11000, () => coll.insertMany([{ _id: 1 }, { _id: 1 }, { _id: 2 }, { _id: 2 }], { ordered: false }));
  assert.deepEqual(error.writeErrors.map(({ index }) => index), [1, 3]);
  assert.deepEqual(await idsOf(coll, {}), [1, 2]);
});
test('command insert', 'an _id is no array', async ({ coll }) => {
  await fails([2, 53], () => coll.insertOne({ _id: [1] }));
});
test('command insert', 'an _id is no regular expression', async ({ coll }) => {
  await fails([2, 53], () => coll.insertOne({ _id: /x/ }));
});

test('command find', 'finds, sorts, skips and limits', async ({ coll, seed }) => {
  await seed(...people);
  assert.deepEqual((await coll.find({}).sort({ age: 1 }).skip(1).limit(1).toArray()).map(p => p.name), ['a']);
});
test('command find', 'in a collection that is not there finds nothing', async ({ coll }) => {
  assert.deepEqual(await coll.find({}).toArray(), []);
});
test('command find', 'sorts by several keys and directions', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 1, b: 1 }, { _id: 2, a: 1, b: 2 }, { _id: 3, a: 2, b: 1 });
  assert.deepEqual((await coll.find({}).sort({ a: -1, b: -1 }).toArray()).map(p => p._id), [3, 2, 1]);
});
test('command find', 'sorts by an embedded field, missing ones first', async ({ coll, seed }) => {
  await seed({ _id: 1, a: { b: 2 } }, { _id: 2, a: { b: 1 } }, { _id: 3 });
  assert.deepEqual((await coll.find({}).sort({ 'a.b': 1 }).toArray()).map(p => p._id), [3, 2, 1]);
});
test('command find', 'a negative skip is an error', async ({ db, coll }) => {
  await fails([51024, 2, 9], () => db.command({ find: coll.collectionName, skip: -1 }));
});
test('command find', 'by $natural order is the order of insertion', async ({ coll, seed }) => {
  await seed({ _id: 2 }, { _id: 1 });
  assert.deepEqual((await coll.find({}).sort({ $natural: 1 }).toArray()).map(p => p._id), [2, 1]);
});

test('command update', 'changes the first document or all', async ({ coll, seed }) => {
  await seed(...people);
  const one = await coll.updateOne({ age: { $gte: 30 } }, { $set: { old: true } });
  assert.deepEqual([one.matchedCount, one.modifiedCount], [1, 1]);
  const many = await coll.updateMany({ age: { $gte: 30 } }, { $set: { old: true } });
  assert.deepEqual([many.matchedCount, many.modifiedCount], [2, 1]);
  assert.equal(await coll.countDocuments({ old: true }), 2);
});
test('command update', 'replaces all of a document but its _id', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 1, b: 2 });
  await coll.replaceOne({ a: 1 }, { c: 3 });
  assert.deepEqual(await coll.findOne({}), { _id: 1, c: 3 });
});
test('command update', 'a replacement does not change _id', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  await fails(66, () => coll.replaceOne({ a: 1 }, { _id: 2 }));
});
test('command update', 'a replacement is for one document', async ({ db, coll, seed }) => {
  await seed({ _id: 1 });
  const reply = await db.command({ update: coll.collectionName, updates: [{ q: {}, u: { a: 1 }, multi: true }] }).catch(error => error);
  assert.equal(reply.writeErrors?.[0].code ?? reply.code, 9);
});
test('command update', 'tells what it upserted', async ({ db, coll }) => {
  const reply = await db.command({ update: coll.collectionName, updates: [{ q: { _id: 1 }, u: { $set: { a: 1 } }, upsert: true }, { q: { _id: 2 }, u: { $set: { a: 1 } }, upsert: true }] });
  assert.deepEqual([reply.n, reply.nModified, reply.upserted], [2, 0, [{ index: 0, _id: 1 }, { index: 1, _id: 2 }]]);
});
test('command update', 'of nothing that is found does nothing', async ({ coll }) => {
  const result = await coll.updateOne({ _id: 1 }, { $set: { a: 1 } });
  assert.deepEqual([result.matchedCount, result.modifiedCount, result.upsertedCount], [0, 0, 0]);
});
test('command update', 'keeps unique what is unique', async ({ coll, seed }) => {
  await coll.createIndex({ a: 1 }, { unique: true });
  await seed({ _id: 1, a: 1 }, { _id: 2, a: 2 });
  await fails(11000, () => coll.updateOne({ _id: 2 }, { $set: { a: 1 } }));
});

test('command delete', 'removes one document or all', async ({ coll, seed }) => {
  await seed(...people, { _id: 4, age: 50 });
  assert.equal((await coll.deleteOne({ age: { $gte: 30 } })).deletedCount, 1);
  assert.equal((await coll.deleteMany({ age: { $gte: 30 } })).deletedCount, 2);
  assert.deepEqual(await idsOf(coll, {}), [2]);
  assert.equal((await coll.deleteMany({ age: 99 })).deletedCount, 0);
});
test('command delete', 'limit is 0 or 1', async ({ db, coll }) => {
  await fails(9, () => db.command({ delete: coll.collectionName, deletes: [{ q: {}, limit: 5 }] }));
});
test('command delete', 'limit is required', async ({ db, coll }) => {
  await fails(40414, () => db.command({ delete: coll.collectionName, deletes: [{ q: {} }] }));
});

test('bulkWrite', 'runs inserts, updates and deletes', async ({ coll }) => {
  const result = await coll.bulkWrite([
    { insertOne: { document: { _id: 1, a: 1 } } }, { insertOne: { document: { _id: 2, a: 2 } } },
    { updateOne: { filter: { _id: 1 }, update: { $inc: { a: 10 } } } }, { updateMany: { filter: {}, update: { $set: { b: 1 } } } },
    { replaceOne: { filter: { _id: 3 }, replacement: { c: 1 }, upsert: true } }, { deleteOne: { filter: { _id: 2 } } },
  ]);
  assert.deepEqual([result.insertedCount, result.matchedCount, result.modifiedCount, result.deletedCount, result.upsertedCount], [2, 3, 3, 1, 1]);
  assert.deepEqual(await coll.find({}).sort({ _id: 1 }).toArray(), [{ _id: 1, a: 11, b: 1 }, { _id: 3, c: 1 }]);
});

test('command findAndModify', 'returns the document as it was', async ({ coll, seed }) => {
  await seed(...people);
  const found = await coll.findOneAndUpdate({}, { $inc: { age: 1 } }, { sort: { age: -1 } });
  assert.deepEqual(found, people[2]);
  assert.equal((await coll.findOne({ _id: 3 })).age, 41);
});
test('command findAndModify', 'returns the document as it became', async ({ coll, seed }) => {
  await seed(...people);
  assert.deepEqual(await coll.findOneAndUpdate({ _id: 1 }, { $set: { age: 5 } }, { returnDocument: 'after' }), { _id: 1, name: 'a', age: 5 });
});
test('command findAndModify', 'returns what it removed', async ({ coll, seed }) => {
  await seed(...people);
  assert.deepEqual(await coll.findOneAndDelete({ age: 20 }), people[1]);
  assert.deepEqual(await idsOf(coll, {}), [1, 3]);
});
test('command findAndModify', 'replaces', async ({ coll, seed }) => {
  await seed(...people);
  assert.deepEqual(await coll.findOneAndReplace({ _id: 1 }, { x: 1 }, { returnDocument: 'after' }), { _id: 1, x: 1 });
});
test('command findAndModify', 'finds nothing', async ({ coll }) => {
  assert.equal(await coll.findOneAndUpdate({ _id: 1 }, { $set: { a: 1 } }), null);
});
test('command findAndModify', 'tells of an upsert', async ({ db, coll }) => {
  const reply = await db.command({ findAndModify: coll.collectionName, query: { _id: 1 }, update: { $set: { a: 1 } }, upsert: true, new: true });
  assert.deepEqual([reply.lastErrorObject, reply.value], [{ n: 1, updatedExisting: false, upserted: 1 }, { _id: 1, a: 1 }]);
});
test('command findAndModify', 'updates elements of arrays', async ({ coll, seed }) => {
  await seed({ _id: 1, g: [1, 9] });
  assert.deepEqual(await coll.findOneAndUpdate({}, { $set: { 'g.$[e]': 0 } }, { arrayFilters: [{ e: { $gt: 5 } }], returnDocument: 'after' }), { _id: 1, g: [1, 0] });
});
test('command findAndModify', 'takes a pipeline', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  assert.deepEqual(await coll.findOneAndUpdate({}, [{ $set: { b: '$a' } }], { returnDocument: 'after' }), { _id: 1, a: 1, b: 1 });
});
for (const [promise, fields] of [['an update or remove', {}], ['not an update and remove', { update: { a: 1 }, remove: true }], ['not remove and new', { remove: true, new: true }], ['not remove and upsert', { remove: true, upsert: true }]]) {
  test('command findAndModify', `needs ${promise}`, async ({ db, coll }) => {
    await fails(9, () => db.command({ findAndModify: coll.collectionName, query: {}, ...fields }));
  });
}
test('command findandmodify', 'is findAndModify', async ({ db, coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  const reply = await db.command({ findandmodify: coll.collectionName, query: { _id: 1 }, update: { $inc: { a: 1 } }, new: true });
  assert.deepEqual([reply.lastErrorObject, reply.value], [{ n: 1, updatedExisting: true }, { _id: 1, a: 2 }]);
});

test('command count', 'counts, skips and limits', async ({ db, coll, seed }) => {
  await seed(...people);
  const count = async fields => (await db.command({ count: coll.collectionName, ...fields })).n;
  assert.deepEqual([await count({}), await count({ query: { age: { $gt: 25 } } }), await count({ skip: 1 }), await count({ limit: 2 }), await count({ skip: 2, limit: 5 })], [3, 2, 2, 2, 1]);
  assert.equal(await coll.estimatedDocumentCount(), 3);
});
test('command count', 'in a collection that is not there is 0', async ({ db, coll }) => {
  assert.equal((await db.command({ count: coll.collectionName })).n, 0);
});
test('command aggregate', 'countDocuments counts what a filter finds', async ({ coll, seed }) => {
  await seed(...people);
  assert.deepEqual([await coll.countDocuments({ age: { $gt: 25 } }), await coll.countDocuments({}, { skip: 1, limit: 1 }), await coll.countDocuments({ age: 0 })], [2, 1, 0]);
});
test('command aggregate', 'needs a cursor', async ({ db, coll }) => {
  await fails(9, () => db.command({ aggregate: coll.collectionName, pipeline: [] }));
});
test('command aggregate', 'needs a collection', async ({ db }) => {
  await fails(73, () => db.command({ aggregate: 1, pipeline: [{ $match: {} }], cursor: {} }));
});
test('command distinct', 'returns each value once', async ({ coll, seed }) => {
  await seed({ a: 1 }, { a: 2 }, { a: 1 }, { a: 1.0 }, {});
  assert.deepEqual((await coll.distinct('a')).sort(), [1, 2]);
});
test('command distinct', 'returns the elements of arrays', async ({ coll, seed }) => {
  await seed({ a: [1, 2] }, { a: [2, 3, [4]] }, { a: { x: 1 } });
  assert.equal((await coll.distinct('a')).length, 5);
});
test('command distinct', 'looks into documents, and takes a filter', async ({ coll, seed }) => {
  await seed({ _id: 1, a: { b: 'x' } }, { _id: 2, a: { b: 'y' } }, { _id: 3, a: [{ b: 'z' }] });
  assert.deepEqual((await coll.distinct('a.b', { _id: { $gt: 1 } })).sort(), ['y', 'z']);
});
test('command distinct', 'in a collection that is not there is empty', async ({ coll }) => {
  assert.deepEqual(await coll.distinct('a'), []);
});
