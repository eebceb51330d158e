// Manual: "Update Operators" (fields, bitwise), "Updates with Aggregation Pipeline", "Behavior with upsert: true".
import { Decimal128, Double, Int32, Long, Timestamp } from 'mongodb';
import { assert, fails, test } from './harness.mjs';

function updates(subject, promise, document, update, expected) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed({ _id: 1, ...document });
    await coll.updateOne({ _id: 1 }, update);
    assert.deepEqual(await coll.findOne({}), { _id: 1, ...expected });
  });
}

function refuses(subject, promise, code, document, update) {
  test(subject, promise, async ({ coll, db, seed }) => {
    await seed({ _id: 1, ...document });
    await fails(code, () => coll.updateOne({ _id: 1 }, update));
    assert.deepEqual(await coll.findOne({}), { _id: 1, ...document });
  });
}

updates('update $set', 'replaces a value', { a: 1, b: 2 }, { $set: { a: 5 } }, { a: 5, b: 2 });
updates('update $set', 'adds a field', { a: 1 }, { $set: { b: 2 } }, { a: 1, b: 2 });
updates('update $set', 'makes the documents of a path', {}, { $set: { 'a.b.c': 1 } }, { a: { b: { c: 1 } } });
updates('update $set', 'changes an element of an array', { a: [1, 2] }, { $set: { 'a.1': 5 } }, { a: [1, 5] });
updates('update $set', 'fills an array with null up to the element', { a: [1] }, { $set: { 'a.3': 4 } }, { a: [1, null, null, 4] });
updates('update $set', 'of new fields follows the order of names', {}, { $set: { z: 1, b: 2 } }, { b: 2, z: 1 });
updates('update $set', 'of nothing changes nothing', { a: 1 }, { $set: {} }, { a: 1 });
test('update $set', 'of the value that is there modifies nothing', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  const result = await coll.updateOne({}, { $set: { a: 1 } });
  assert.deepEqual([result.matchedCount, result.modifiedCount], [1, 0]);
});
refuses('update $set', 'does not change _id', 66, { a: 1 }, { $set: { _id: 2 } });
refuses('update $set', 'does not lead through a value', 28, { a: 1 }, { $set: { 'a.b': 1 } });
refuses('update $set', 'an empty name in a path is an error', 56, { a: 1 }, { $set: { 'a..b': 1 } });
refuses('update $set', 'needs a document', 9, { a: 1 }, { $set: 5 });
test('update $setOnInsert', 'sets fields of an inserted document alone', async ({ coll }) => {
  await coll.updateOne({ _id: 1 }, { $set: { a: 1 }, $setOnInsert: { b: 2 } }, { upsert: true });
  assert.deepEqual(await coll.findOne({}), { _id: 1, a: 1, b: 2 });
  await coll.updateOne({ _id: 1 }, { $set: { a: 3 }, $setOnInsert: { b: 4 } }, { upsert: true });
  assert.deepEqual(await coll.findOne({}), { _id: 1, a: 3, b: 2 });
});
updates('update $unset', 'removes a field', { a: 1, b: 2 }, { $unset: { a: '' } }, { b: 2 });
updates('update $unset', 'of a missing field does nothing', { a: 1 }, { $unset: { b: '' } }, { a: 1 });
updates('update $unset', 'leaves null in an array', { a: [1, 2, 3] }, { $unset: { 'a.1': '' } }, { a: [1, null, 3] });
updates('update $rename', 'renames a field', { a: 1, b: 2 }, { $rename: { a: 'c' } }, { b: 2, c: 1 });
updates('update $rename', 'replaces a field of the new name', { a: 1, c: 2 }, { $rename: { a: 'c' } }, { c: 1 });
updates('update $rename', 'moves a field into a document', { a: 1 }, { $rename: { a: 'b.c' } }, { b: { c: 1 } });
updates('update $rename', 'of a missing field does nothing', { a: 1 }, { $rename: { x: 'y' } }, { a: 1 });
refuses('update $rename', 'needs another name', 2, { a: 1 }, { $rename: { a: 'a' } });
refuses('update $rename', 'needs text', 2, { a: 1 }, { $rename: { a: 5 } });
updates('update $inc', 'adds', { a: 1 }, { $inc: { a: 4 } }, { a: 5 });
updates('update $inc', 'subtracts', { a: { b: 1 } }, { $inc: { 'a.b': -4 } }, { a: { b: -3 } });
updates('update $inc', 'sets a missing field', {}, { $inc: { a: 4 } }, { a: 4 });
updates('update $inc', 'an int that overflows becomes a long', { a: 2147483647 }, { $inc: { a: 1 } }, { a: 2147483648 });
updates('update $inc', 'adds decimals', { a: Decimal128.fromString('1.10') }, { $inc: { a: Decimal128.fromString('2.25') } }, { a: Decimal128.fromString('3.35') });
refuses('update $inc', 'of text is an error', 14, { a: 'x' }, { $inc: { a: 1 } });
refuses('update $inc', 'of null is an error', 14, { a: null }, { $inc: { a: 1 } });
refuses('update $inc', 'by text is an error', 14, { a: 1 }, { $inc: { a: 'x' } });
refuses('update $inc', 'a long that overflows is an error', 2, { a: Long.MAX_VALUE }, { $inc: { a: Long.fromNumber(1) } });
updates('update $mul', 'multiplies', { a: 3 }, { $mul: { a: 2.5 } }, { a: 7.5 });
updates('update $mul', 'sets a missing field to zero', {}, { $mul: { a: 5 } }, { a: 0 });
refuses('update $mul', 'of text is an error', 14, { a: 'x' }, { $mul: { a: 2 } });
test(['update $inc', 'update $mul'], 'keep and widen types', async ({ coll, seed }) => {
  await seed({ _id: 1, int: new Int32(1), long: Long.fromNumber(1), double: new Double(1), mulInt: new Int32(2147483647), mulMissing: 1 });
  await coll.updateOne({}, { $inc: { int: new Int32(1), long: new Int32(1), double: new Int32(1) }, $mul: { mulInt: new Int32(2), missing: new Double(1) } });
  const types = Object.fromEntries(['int', 'long', 'double', 'mulInt', 'missing'].map(name => [name, { $type: `$${name}` }]));
  assert.deepEqual(await coll.aggregate([{ $project: { _id: 0, ...types } }]).next(), { int: 'int', long: 'long', double: 'double', mulInt: 'long', missing: 'double' });
});
updates('update $min', 'takes a less value', { a: 5 }, { $min: { a: 3 } }, { a: 3 });
updates('update $min', 'keeps a less value', { a: 5 }, { $min: { a: 8 } }, { a: 5 });
updates('update $min', 'sets a missing field', {}, { $min: { a: 8 } }, { a: 8 });
updates('update $min', 'orders types as a sort does', { a: 'x' }, { $min: { a: 8 } }, { a: 8 });
updates('update $max', 'takes a greater value', { a: 5 }, { $max: { a: 8 } }, { a: 8 });
updates('update $max', 'keeps a greater value', { a: new Date(5) }, { $max: { a: new Date(3) } }, { a: new Date(5) });
updates('update $max', 'sets a missing field', {}, { $max: { a: 8 } }, { a: 8 });
updates('update $bit', 'and', { a: 13 }, { $bit: { a: { and: 10 } } }, { a: 8 });
updates('update $bit', 'or', { a: 3 }, { $bit: { a: { or: 5 } } }, { a: 7 });
updates('update $bit', 'xor', { a: 1 }, { $bit: { a: { xor: 5 } } }, { a: 4 });
updates('update $bit', 'a missing field counts as 0', {}, { $bit: { a: { or: 5 } } }, { a: 5 });
refuses('update $bit', 'of a double is an error', 2, { a: 1.5 }, { $bit: { a: { or: 5 } } });
refuses('update $bit', 'another operation is an error', 2, { a: 1 }, { $bit: { a: { nand: 5 } } });
test('update $currentDate', 'sets a date or a timestamp', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  await coll.updateOne({}, { $currentDate: { a: true, b: { $type: 'date' }, c: { $type: 'timestamp' } } });
  const { a, b, c } = await coll.findOne({});
  assert.ok(a instanceof Date && b instanceof Date && c instanceof Timestamp);
  assert.ok(Math.abs(Date.now() - a.getTime()) < 3600 * 1000);
});
refuses('update $currentDate', 'another type is an error', 2, { a: 1 }, { $currentDate: { a: { $type: 'int' } } });

refuses('update', 'two operators at one path are an error', 40, { a: 1 }, { $set: { a: 5 }, $inc: { a: 1 } });
refuses('update', 'operators at a document and a field of it are an error', 40, { a: { b: 1 } }, { $set: { a: 5, 'a.b': 1 } });
refuses('update', 'an unknown operator is an error', 9, { a: 1 }, { $nonsense: { a: 1 } });
test('update', 'an error of one operator leaves nothing of the others', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 1, b: 'x' });
  await fails(14, () => coll.updateOne({}, { $set: { a: 5 }, $inc: { b: 1 } }));
  assert.deepEqual(await coll.findOne({}), { _id: 1, a: 1, b: 'x' });
});

updates('update', 'a pipeline computes fields', { a: 1, b: 2 }, [{ $set: { c: { $add: ['$a', '$b'] } } }], { a: 1, b: 2, c: 3 });
updates('update', 'the stages of a pipeline follow one another', { a: 1 }, [{ $addFields: { b: 5 } }, { $set: { c: '$b' } }, { $unset: 'b' }], { a: 1, c: 5 });
updates('update', 'a pipeline projects', { a: 1, b: 2 }, [{ $project: { b: 1 } }], { b: 2 });
updates('update', 'a pipeline replaces the document', { a: { x: 1 }, b: 2 }, [{ $replaceWith: { $mergeObjects: [{ _id: '$_id' }, '$a'] } }], { x: 1 });
updates('update', 'a pipeline replaces the root', { a: { _id: 1, y: 1 } }, [{ $replaceRoot: { newRoot: '$a' } }], { y: 1 });
refuses('update', 'another stage in a pipeline is an error', 72, { a: 1 }, [{ $match: { a: 1 } }]);

test('update', 'an upsert takes the equalities of its filter', async ({ coll }) => {
  const result = await coll.updateOne({ _id: 5, a: 1, b: { $eq: 2 }, c: { $gt: 3 }, $and: [{ d: 4 }], e: { $in: [1, 2] } }, { $set: { f: 6 } }, { upsert: true });
  assert.deepEqual([result.matchedCount, result.upsertedCount, result.upsertedId], [0, 1, 5]);
  assert.deepEqual(await coll.findOne({}), { _id: 5, a: 1, b: 2, d: 4, f: 6 });
});
test('update', 'an upsert of dotted equalities makes documents', async ({ coll }) => {
  await coll.updateOne({ _id: 1, 'a.b': 1 }, { $set: { 'a.c': 2 } }, { upsert: true });
  assert.deepEqual(await coll.findOne({}), { _id: 1, a: { b: 1, c: 2 } });
});
test('update', 'an upsert makes an _id', async ({ coll }) => {
  const { upsertedId } = await coll.updateOne({ a: 1 }, { $set: { b: 2 } }, { upsert: true });
  assert.deepEqual(await coll.findOne({ _id: upsertedId }), { _id: upsertedId, a: 1, b: 2 });
});
test('update', 'an upsert that matches a path twice is an error', async ({ coll }) => {
  await fails(54, () => coll.updateOne({ a: 1, $and: [{ a: 2 }] }, { $set: { b: 1 } }, { upsert: true }));
});
test('update', 'an upsert by replacement keeps the _id of the filter', async ({ coll }) => {
  await coll.replaceOne({ _id: 7, a: 1 }, { b: 2 }, { upsert: true });
  assert.deepEqual(await coll.findOne({}), { _id: 7, b: 2 });
});
