// Manual: "Aggregation Stages".
import { assert, byText, fails, test } from './harness.mjs';

function gives(subject, promise, documents, pipeline, expected) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed(...documents);
    assert.deepEqual(await coll.aggregate(pipeline).toArray(), expected);
  });
}

function refuses(subject, promise, code, stage) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed({ _id: 1, a: 1 });
    await fails(code, () => coll.aggregate([].concat(stage)).toArray());
  });
}

const sales = [
  { _id: 1, item: 'abc', price: 10, quantity: 2, sizes: ['S', 'M'] },
  { _id: 2, item: 'jkl', price: 20, quantity: 1, sizes: [] },
  { _id: 3, item: 'xyz', price: 5, quantity: 5, sizes: null },
  { _id: 4, item: 'abc', price: 10, quantity: 10 },
  { _id: 5, item: 'xyz', price: 5, quantity: 10, sizes: 'M' },
];
const ids = (...numbers) => numbers.map(_id => ({ _id }));
const onlyId = { $project: { _id: 1 } };

gives('aggregate', 'an empty pipeline returns everything', sales, [], sales);
gives('stage $match', 'filters', sales, [{ $match: { price: { $gte: 10 } } }, onlyId], ids(1, 2, 4));
gives('stage $match', 'filters what stages computed', sales, [{ $addFields: { total: { $multiply: ['$price', '$quantity'] } } }, { $match: { total: { $gt: 40 } } }, onlyId], ids(4, 5));
refuses('stage $match', 'needs an object', 15959, { $match: 5 });
gives('stage $project', 'includes and computes', sales.slice(0, 1), [{ $project: { item: 1, total: { $multiply: ['$price', '$quantity'] } } }], [{ _id: 1, item: 'abc', total: 20 }]);
gives('stage $project', 'excludes', sales.slice(0, 1), [{ $project: { price: 0, sizes: 0 } }], [{ _id: 1, item: 'abc', quantity: 2 }]);
gives('stage $project', 'renames', sales.slice(0, 1), [{ $project: { _id: 0, name: '$item' } }], [{ name: 'abc' }]);
gives('stage $project', 'makes documents and arrays', sales.slice(0, 1), [{ $project: { _id: 0, a: { b: '$price' }, c: ['$item', '$nothing'] } }], [{ a: { b: 10 }, c: ['abc', null] }]);
gives('stage $project', 'literals are marked', sales.slice(0, 1), [{ $project: { _id: 0, n: { $literal: 1 }, t: { $literal: '$item' } } }], [{ n: 1, t: '$item' }]);
refuses('stage $project', 'needs a field', 51272, { $project: {} });
refuses('stage $project', 'inclusion and exclusion do not mix', 31254, { $project: { a: 1, b: 0 } });
gives('stage $addFields', 'adds and replaces', [{ _id: 1, a: 1 }], [{ $addFields: { a: 5, b: '$a' } }], [{ _id: 1, a: 5, b: 1 }]);
gives('stage $addFields', 'adds to embedded documents', [{ _id: 1, a: { b: 1 } }], [{ $addFields: { 'a.c': 2 } }], [{ _id: 1, a: { b: 1, c: 2 } }]);
gives('stage $addFields', 'adds to the documents of an array', [{ _id: 1, a: [{ b: 1 }, { b: 2 }] }], [{ $addFields: { 'a.c': 3 } }], [{ _id: 1, a: [{ b: 1, c: 3 }, { b: 2, c: 3 }] }]);
gives('stage $set', 'is $addFields', [{ _id: 1, a: 1 }], [{ $set: { b: { $add: ['$a', 1] } } }], [{ _id: 1, a: 1, b: 2 }]);
refuses('stage $set', 'needs an object', 40272, { $set: 5 });
gives('stage $unset', 'removes a field', [{ _id: 1, a: 1, b: 2 }], [{ $unset: 'a' }], [{ _id: 1, b: 2 }]);
gives('stage $unset', 'removes several, embedded ones too', [{ _id: 1, a: { x: 1, y: 2 }, b: 2 }], [{ $unset: ['b', 'a.x'] }], [{ _id: 1, a: { y: 2 } }]);
refuses('stage $unset', 'needs names', 31002, { $unset: 5 });

test('stage $group', 'makes one document of each group', async ({ coll, seed }) => {
  await seed(...sales);
  const found = await coll.aggregate([{ $group: { _id: '$item', total: { $sum: { $multiply: ['$price', '$quantity'] } }, n: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray();
  assert.deepEqual(found, [{ _id: 'abc', total: 120, n: 2 }, { _id: 'jkl', total: 20, n: 1 }, { _id: 'xyz', total: 75, n: 2 }]);
});
gives('stage $group', 'null is one group of all', sales, [{ $group: { _id: null, n: { $sum: '$quantity' } } }], [{ _id: null, n: 28 }]);
gives('stage $group', 'missing and null are one group', [{ _id: 1 }, { _id: 2, a: null }], [{ $group: { _id: '$a', n: { $sum: 1 } } }], [{ _id: null, n: 2 }]);
gives('stage $group', 'numbers of different types are one group', [{ _id: 1, a: 1 }, { _id: 2, a: 1.0 }], [{ $group: { _id: '$a', n: { $sum: 1 } } }], [{ _id: 1, n: 2 }]);
gives('stage $group', 'the key may be a document', sales, [{ $group: { _id: { i: '$item', p: '$price' } } }, { $sort: { _id: 1 } }], [{ _id: { i: 'abc', p: 10 } }, { _id: { i: 'jkl', p: 20 } }, { _id: { i: 'xyz', p: 5 } }]);
gives('stage $group', 'of nothing is nothing', sales, [{ $match: { _id: 99 } }, { $group: { _id: null, n: { $sum: 1 } } }], []);
refuses('stage $group', 'needs an _id', 15955, { $group: { n: { $sum: 1 } } });
refuses('stage $group', 'a field needs an accumulator', 40234, { $group: { _id: null, n: 5 } });
refuses('stage $group', 'an unknown accumulator is an error', 15952, { $group: { _id: null, n: { $nonsense: 1 } } });
refuses('stage $group', 'a field has one accumulator', 40238, { $group: { _id: null, n: { $sum: 1, $avg: 1 } } });
refuses('stage $group', 'a field has no dots', 40235, { $group: { _id: null, 'a.b': { $sum: 1 } } });

gives('stage $sort', 'by several keys', sales, [{ $sort: { price: -1, quantity: 1 } }, onlyId], ids(2, 1, 4, 3, 5));
gives('stage $sort', 'types have an order', [{ _id: 1, a: 'x' }, { _id: 2, a: 1 }, { _id: 3 }, { _id: 4, a: { b: 1 } }, { _id: 5, a: true }, { _id: 6, a: new Date(0) }], [{ $sort: { a: 1 } }, onlyId], ids(3, 2, 1, 4, 5, 6));
gives('stage $sort', 'an array counts by its least element upwards', [{ _id: 1, a: [5, 9] }, { _id: 2, a: [1, 7] }, { _id: 3, a: 4 }], [{ $sort: { a: 1 } }, onlyId], ids(2, 3, 1));
gives('stage $sort', 'an array counts by its greatest element downwards', [{ _id: 1, a: [5, 9] }, { _id: 2, a: [1, 7] }, { _id: 3, a: 8 }], [{ $sort: { a: -1 } }, onlyId], ids(1, 3, 2));
refuses('stage $sort', 'needs a key', 15976, { $sort: {} });
refuses('stage $sort', 'needs 1 or -1', 15975, { $sort: { a: 5 } });
gives('stage $limit', 'takes the first', sales, [{ $sort: { _id: 1 } }, { $limit: 2 }, onlyId], ids(1, 2));
refuses('stage $limit', 'is positive', 15958, { $limit: 0 });
gives('stage $skip', 'leaves out the first', sales, [{ $sort: { _id: 1 } }, { $skip: 3 }, onlyId], ids(4, 5));
gives('stage $count', 'counts', sales, [{ $match: { item: 'abc' } }, { $count: 'n' }], [{ n: 2 }]);
gives('stage $count', 'of nothing returns nothing', sales, [{ $match: { item: 'none' } }, { $count: 'n' }], []);
refuses('stage $count', 'needs a name', [40156, 40157], { $count: '' });
refuses('stage $count', 'its name has no dollar', [40156, 40158], { $count: '$n' });

const clothes = [{ _id: 1, sizes: ['S', 'M'] }, { _id: 2, sizes: [] }, { _id: 3, sizes: 'L' }, { _id: 4 }, { _id: 5, sizes: null }];
gives('stage $unwind', 'makes a document of each element', clothes, [{ $unwind: '$sizes' }], [{ _id: 1, sizes: 'S' }, { _id: 1, sizes: 'M' }, { _id: 3, sizes: 'L' }]);
gives('stage $unwind', 'tells the index', clothes, [{ $unwind: { path: '$sizes', includeArrayIndex: 'i' } }], [{ _id: 1, sizes: 'S', i: 0 }, { _id: 1, sizes: 'M', i: 1 }, { _id: 3, sizes: 'L', i: null }]);
gives('stage $unwind', 'preserves null, missing and empty arrays', clothes, [{ $unwind: { path: '$sizes', preserveNullAndEmptyArrays: true } }], [{ _id: 1, sizes: 'S' }, { _id: 1, sizes: 'M' }, { _id: 2 }, { _id: 3, sizes: 'L' }, { _id: 4 }, { _id: 5, sizes: null }]);
gives('stage $unwind', 'unwinds an embedded array', [{ _id: 1, a: { b: [1, 2] } }], [{ $unwind: '$a.b' }], [{ _id: 1, a: { b: 1 } }, { _id: 1, a: { b: 2 } }]);
refuses('stage $unwind', 'needs a dollar', 28818, { $unwind: 'a' });

function looksUp(promise, orders, inventory, expected) {
  test('stage $lookup', promise, async ({ db, coll, seed }) => {
    const other = db.collection(`${coll.collectionName}_inventory`);
    await seed(...orders);
    await other.insertMany(inventory);
    const found = await coll.aggregate([{ $lookup: { from: other.collectionName, localField: 'item', foreignField: 'sku', as: 'docs' } }, { $project: { 'docs._id': 1 } }]).toArray();
    assert.deepEqual(found, expected);
  });
}
looksUp('joins equal values', [{ _id: 1, item: 'a' }, { _id: 2, item: 'b' }], [{ _id: 1, sku: 'a' }, { _id: 2, sku: 'x' }, { _id: 3, sku: 'a' }], [{ _id: 1, docs: [{ _id: 1 }, { _id: 3 }] }, { _id: 2, docs: [] }]);
looksUp('a missing field joins null and missing', [{ _id: 1 }], [{ _id: 1, sku: null }, { _id: 2 }, { _id: 3, sku: 1 }], [{ _id: 1, docs: [{ _id: 1 }, { _id: 2 }] }]);
looksUp('the elements of an array join', [{ _id: 1, item: ['a', 'b'] }], [{ _id: 1, sku: 'a' }, { _id: 2, sku: 'b' }, { _id: 3, sku: 'c' }], [{ _id: 1, docs: [{ _id: 1 }, { _id: 2 }] }]);
gives('stage $lookup', 'from no collection joins nothing', [{ _id: 1 }], [{ $lookup: { from: 'none', localField: 'a', foreignField: 'b', as: 'docs' } }], [{ _id: 1, docs: [] }]);
refuses('stage $lookup', 'needs its arguments', [9, 40414], { $lookup: { from: 'x' } });

test('stage $sortByCount', 'counts and sorts downwards', async ({ coll, seed }) => {
  await seed({ t: 'a' }, { t: 'b' }, { t: 'b' }, { t: 'c' }, { t: 'b' }, { t: 'a' });
  assert.deepEqual(await coll.aggregate([{ $sortByCount: '$t' }]).toArray(), [{ _id: 'b', count: 3 }, { _id: 'a', count: 2 }, { _id: 'c', count: 1 }]);
});
gives('stage $sortByCount', 'takes an expression', [{ _id: 1, a: 1 }, { _id: 2, a: 2 }, { _id: 3, a: 3 }], [{ $sortByCount: { $gt: ['$a', 1] } }], [{ _id: true, count: 2 }, { _id: false, count: 1 }]);
refuses('stage $sortByCount', 'needs an expression', 40149, { $sortByCount: 5 });
gives('stage $replaceRoot', 'takes an embedded document', [{ _id: 1, a: { b: 1 } }], [{ $replaceRoot: { newRoot: '$a' } }], [{ b: 1 }]);
gives('stage $replaceRoot', 'takes an expression', [{ _id: 1, a: { b: 1 } }], [{ $replaceRoot: { newRoot: { $mergeObjects: [{ x: 0 }, '$a'] } } }], [{ x: 0, b: 1 }]);
refuses('stage $replaceRoot', 'needs a document', 40228, { $replaceRoot: { newRoot: '$a' } });
gives('stage $replaceWith', 'is $replaceRoot', [{ _id: 1, a: { b: 1 } }], [{ $replaceWith: '$a' }], [{ b: 1 }]);
refuses('stage $replaceWith', 'needs a document', 40228, { $replaceWith: '$nothing' });
test('stage $facet', 'runs pipelines over the same documents', async ({ coll, seed }) => {
  await seed(...sales);
  const found = await coll.aggregate([{ $facet: { dear: [{ $match: { price: { $gt: 10 } } }, onlyId], byItem: [{ $group: { _id: '$item' } }], n: [{ $count: 'n' }] } }]).toArray();
  assert.deepEqual([found.length, found[0].dear, byText(found[0].byItem), found[0].n], [1, ids(2), byText([{ _id: 'abc' }, { _id: 'jkl' }, { _id: 'xyz' }]), [{ n: 5 }]]);
});
gives('stage $facet', 'of nothing returns empty arrays', [{ _id: 1 }], [{ $match: { _id: 9 } }, { $facet: { a: [{ $match: {} }] } }], [{ a: [] }]);
refuses('stage $facet', 'needs a pipeline', 40169, { $facet: {} });
refuses('aggregate', 'an unknown stage is an error', 40324, { $nonsense: 1 });
refuses('aggregate', 'a stage has one field', 40323, { $match: {}, $limit: 1 });
refuses('aggregate', 'a stage has a field', 40323, {});
gives('aggregate', 'stages follow one another', sales, [{ $match: { price: { $lte: 10 } } }, { $group: { _id: '$item', q: { $sum: '$quantity' } } }, { $sort: { q: -1 } }, { $limit: 1 }, { $project: { _id: 0, item: '$_id', q: 1 } }], [{ q: 15, item: 'xyz' }]);
test('aggregate', 'a collection that is not there has no documents', async ({ coll }) => {
  assert.deepEqual(await coll.aggregate([{ $match: {} }]).toArray(), []);
});
