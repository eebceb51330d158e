// Manual: "Aggregation Operators", accumulators of $group.
import { Decimal128 } from 'mongodb';
import { assert, byText, fails, test } from './harness.mjs';

function accumulates(subject, promise, documents, accumulator, expected) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed(...documents);
    const [{ v }] = await coll.aggregate([{ $sort: { _id: 1 } }, { $group: { _id: null, v: accumulator } }]).toArray();
    assert.deepEqual(v, expected);
  });
}

const documents = [{ _id: 1, a: 4 }, { _id: 2, a: 'x' }, { _id: 3 }, { _id: 4, a: 6.5 }, { _id: 5, a: null }];

accumulates('accumulator $sum', 'adds numbers and ignores the rest', documents, { $sum: '$a' }, 10.5);
accumulates('accumulator $sum', 'of no numbers is 0', documents, { $sum: '$b' }, 0);
accumulates('accumulator $sum', 'of 1 counts', documents, { $sum: 1 }, 5);
accumulates('accumulator $sum', 'ignores arrays', [{ _id: 1, a: [1, 2] }, { _id: 2, a: 3 }], { $sum: '$a' }, 3);
accumulates('accumulator $sum', 'adds decimals', [{ _id: 1, a: Decimal128.fromString('0.1') }, { _id: 2, a: Decimal128.fromString('0.2') }], { $sum: '$a' }, Decimal128.fromString('0.3'));
accumulates('accumulator $sum', 'ints that overflow become a long', [{ _id: 1, a: 2147483647 }, { _id: 2, a: 1 }], { $sum: '$a' }, 2147483648);
accumulates('accumulator $avg', 'averages numbers and ignores the rest', documents, { $avg: '$a' }, 5.25);
accumulates('accumulator $avg', 'of no numbers is null', documents, { $avg: '$b' }, null);
accumulates('accumulator $min', 'is the least but null and missing', documents, { $min: '$a' }, 4);
accumulates('accumulator $min', 'of nothing is null', documents, { $min: '$b' }, null);
accumulates('accumulator $max', 'is the greatest in the order of types', documents, { $max: '$a' }, 'x');
accumulates('accumulator $max', 'compares arrays as a whole', [{ _id: 1, a: [1, 9] }, { _id: 2, a: [2, 0] }], { $max: '$a' }, [2, 0]);
accumulates('accumulator $first', 'is the first in order', documents, { $first: '$a' }, 4);
accumulates('accumulator $first', 'of a missing field is null', documents, { $first: '$b' }, null);
accumulates('accumulator $last', 'is the last in order', documents, { $last: '$_id' }, 5);
accumulates('accumulator $push', 'holds all values but missing ones', documents, { $push: '$a' }, [4, 'x', 6.5, null]);
accumulates('accumulator $push', 'holds documents', documents.slice(0, 2), { $push: { i: '$_id', v: '$a' } }, [{ i: 1, v: 4 }, { i: 2, v: 'x' }]);
test('accumulator $addToSet', 'holds each value once', async ({ coll, seed }) => {
  await seed({ a: 1 }, { a: 2 }, { a: 1 }, { a: [1] }, {}, { a: [1] });
  const [{ v }] = await coll.aggregate([{ $group: { _id: null, v: { $addToSet: '$a' } } }]).toArray();
  assert.deepEqual(byText(v), byText([1, 2, [1]]));
});
accumulates('accumulator $mergeObjects', 'the last of a name counts', [{ _id: 1, a: { x: 1, y: 1 } }, { _id: 2, a: { y: 2, z: 2 } }, { _id: 3 }, { _id: 4, a: null }], { $mergeObjects: '$a' }, { x: 1, y: 2, z: 2 });
accumulates('accumulator $count', 'counts documents', documents, { $count: {} }, 5);
test('accumulator $count', 'takes no arguments', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  await fails([9, 14, 2], () => coll.aggregate([{ $group: { _id: null, n: { $count: 1 } } }]).toArray());
});
test('accumulator $mergeObjects', 'of what is no document is an error', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 5 });
  await fails(40400, () => coll.aggregate([{ $group: { _id: null, n: { $mergeObjects: '$a' } } }]).toArray());
});
