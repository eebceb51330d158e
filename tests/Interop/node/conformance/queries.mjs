// Manual: "Query and Projection Operators", "Query for Null or Missing Fields", "Query an Array", "Comparison/Sort Order".
import { Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, Binary } from 'mongodb';
import { assert, fails, idsOf, test } from './harness.mjs';

function finds(subject, promise, documents, filter, ids) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed(...documents);
    assert.deepEqual(await idsOf(coll, filter), ids);
  });
}

function refuses(subject, promise, code, filter) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed({ _id: 1, a: 1 });
    await fails(code, () => coll.find(filter).toArray());
  });
}

const numbers = [{ _id: 1, a: 1 }, { _id: 2, a: 2 }, { _id: 3, a: 3 }, { _id: 4, a: 'text' }, { _id: 5 }, { _id: 6, a: null }, { _id: 7, a: [0, 5] }];

finds('query $eq', 'finds an equal value', numbers, { a: { $eq: 2 } }, [2]);
finds('query $eq', 'finds an array that holds the value', numbers, { a: { $eq: 5 } }, [7]);
finds('query $eq', 'an array is equal to itself and to an element', [{ _id: 1, a: [1, 2] }, { _id: 2, a: [[1, 2]] }, { _id: 3, a: [2, 1] }], { a: { $eq: [1, 2] } }, [1, 2]);
finds('query', 'a value stands for $eq', numbers, { a: 2 }, [2]);
finds('query', 'null finds null and missing', numbers, { a: null }, [5, 6]);
finds('query', 'an embedded document is equal only in the order of its fields', [{ _id: 1, a: { x: 1, y: 2 } }, { _id: 2, a: { y: 2, x: 1 } }], { a: { x: 1, y: 2 } }, [1]);
finds('query', 'numbers of different types are equal', [{ _id: 1, a: new Int32(5) }, { _id: 2, a: new Double(5) }, { _id: 3, a: Long.fromNumber(5) }, { _id: 4, a: Decimal128.fromString('5.00') }, { _id: 5, a: '5' }], { a: 5 }, [1, 2, 3, 4]);
finds('query', 'a dotted path leads through documents', [{ _id: 1, a: { b: 1 } }, { _id: 2, a: { b: 2 } }, { _id: 3, 'a': 1 }], { 'a.b': 1 }, [1]);
finds('query', 'a dotted path leads through arrays of documents', [{ _id: 1, a: [{ b: 1 }, { b: 2 }] }, { _id: 2, a: [{ b: 3 }] }], { 'a.b': 2 }, [1]);
finds('query', 'a number in a path is an index of an array', [{ _id: 1, a: [1, 2] }, { _id: 2, a: [2, 1] }], { 'a.1': 1 }, [2]);
finds('query', 'fields are joined with and', [{ _id: 1, a: 1, b: 1 }, { _id: 2, a: 1, b: 2 }], { a: 1, b: 2 }, [2]);
finds('query', 'NaN is equal to NaN', [{ _id: 1, a: NaN }, { _id: 2, a: 1 }], { a: NaN }, [1]);
finds('query', 'the empty filter finds everything', numbers, {}, [1, 2, 3, 4, 5, 6, 7]);

finds('query $ne', 'finds other values and missing fields', numbers, { a: { $ne: 2 } }, [1, 3, 4, 5, 6, 7]);
finds('query $ne', 'leaves out an array that holds the value', numbers, { a: { $ne: 5 } }, [1, 2, 3, 4, 5, 6]);
finds('query $gt', 'compares within a type', numbers, { a: { $gt: 1 } }, [2, 3, 7]);
finds('query $gt', 'compares text byte by byte', [{ _id: 1, a: 'a' }, { _id: 2, a: 'B' }, { _id: 3, a: 'b' }], { a: { $gt: 'a' } }, [3]);
finds('query $gte', 'is true for an equal value', numbers, { a: { $gte: 2 } }, [2, 3, 7]);
finds('query $lt', 'compares within a type', numbers, { a: { $lt: 2 } }, [1, 7]);
finds('query $lt', 'compares dates', [{ _id: 1, a: new Date(0) }, { _id: 2, a: new Date(1000) }, { _id: 3, a: 0 }], { a: { $lt: new Date(500) } }, [1]);
finds('query $lte', 'is true for an equal value', numbers, { a: { $lte: 2 } }, [1, 2, 7]);
finds('query $lte', 'null finds null and missing', numbers, { a: { $lte: null } }, [5, 6]);
finds(['query $gt', 'query $lt'], 'each may be true of another element of an array', numbers, { a: { $gt: 3, $lt: 1 } }, [7]);
finds('query $gt', 'MinKey is less than everything', [{ _id: 1, a: 1 }, { _id: 2, a: 'x' }, { _id: 3, a: new MinKey() }], { a: { $gt: new MinKey() } }, [1, 2]);
finds('query $lt', 'MaxKey is greater than everything', [{ _id: 1, a: 1 }, { _id: 2, a: 'x' }, { _id: 3, a: new MaxKey() }], { a: { $lt: new MaxKey() } }, [1, 2]);
finds('query $gt', 'compares decimals with doubles', [{ _id: 1, a: Decimal128.fromString('1.6') }, { _id: 2, a: Decimal128.fromString('1.4') }], { a: { $gt: 1.5 } }, [1]);

finds('query $in', 'finds any of the values', numbers, { a: { $in: [1, 'text'] } }, [1, 4]);
finds('query $in', 'null finds missing fields', numbers, { a: { $in: [null] } }, [5, 6]);
finds('query $in', 'takes regular expressions', [{ _id: 1, a: 'acme' }, { _id: 2, a: 'be' }, { _id: 3, a: 'stop' }], { a: { $in: [/^be/, /^st/] } }, [2, 3]);
finds('query $in', 'looks into arrays', numbers, { a: { $in: [0, 9] } }, [7]);
finds('query $in', 'of nothing finds nothing', numbers, { a: { $in: [] } }, []);
finds('query $nin', 'finds the rest, missing fields included', numbers, { a: { $nin: [1, 5, 'text'] } }, [2, 3, 5, 6]);
finds('query $exists', 'true finds null too', numbers, { a: { $exists: true } }, [1, 2, 3, 4, 6, 7]);
finds('query $exists', 'false finds missing fields alone', numbers, { a: { $exists: false } }, [5]);

const types = [
  { _id: 1, a: new Double(1.5) }, { _id: 2, a: 'x' }, { _id: 3, a: {} }, { _id: 4, a: [] }, { _id: 5, a: new Binary(Buffer.from([1])) },
  { _id: 6, a: new ObjectId() }, { _id: 7, a: true }, { _id: 8, a: new Date(0) }, { _id: 9, a: null }, { _id: 10, a: /x/ },
  { _id: 11, a: new Int32(1) }, { _id: 12, a: new Timestamp({ t: 1, i: 1 }) }, { _id: 13, a: Long.fromNumber(1) },
  { _id: 14, a: Decimal128.fromString('1') }, { _id: 15, a: new MinKey() }, { _id: 16, a: new MaxKey() }, { _id: 17 }, { _id: 18, a: ['y', 1] },
];
for (const [alias, number, ids] of [
  ['double', 1, [1]], ['string', 2, [2, 18]], ['object', 3, [3]], ['array', 4, [4, 18]], ['binData', 5, [5]], ['objectId', 7, [6]], ['bool', 8, [7]], ['date', 9, [8]],
  ['null', 10, [9]], ['regex', 11, [10]], ['int', 16, [11, 18]], ['timestamp', 17, [12]], ['long', 18, [13]], ['decimal', 19, [14]], ['minKey', -1, [15]], ['maxKey', 127, [16]],
]) {
  finds('query $type', `'${alias}' by name`, types, { a: { $type: alias } }, ids);
  finds('query $type', `${number} is '${alias}'`, types, { a: { $type: number } }, ids);
}
finds('query $type', "'number' is every numeric type", types, { a: { $type: 'number' } }, [1, 11, 13, 14, 18]);
finds('query $type', 'takes several types', types, { a: { $type: ['bool', 'null'] } }, [7, 9]);
refuses('query $type', 'an unknown alias is an error', 2, { a: { $type: 'nonsense' } });

finds('query $not', 'finds missing fields too', numbers, { a: { $not: { $gt: 1 } } }, [1, 4, 5, 6]);
finds('query $not', 'takes a regular expression', [{ _id: 1, a: 'p1' }, { _id: 2, a: 'x' }, { _id: 3 }], { a: { $not: /^p/ } }, [2, 3]);
refuses('query $not', 'needs operators or a regular expression', 2, { a: { $not: 5 } });
finds('query $and', 'all clauses hold', numbers, { $and: [{ a: { $gt: 1 } }, { a: { $lt: 3 } }] }, [2, 7]);
finds('query $or', 'one clause holds', numbers, { $or: [{ a: 1 }, { a: 'text' }] }, [1, 4]);
finds('query $nor', 'no clause holds', numbers, { $nor: [{ a: { $type: 'number' } }, { a: 'text' }] }, [5, 6]);
for (const name of ['$and', '$or', '$nor']) {
  refuses(`query ${name}`, 'needs an array', 2, { [name]: {} });
  refuses(`query ${name}`, 'needs at least one clause', 2, { [name]: [] });
  refuses(`query ${name}`, 'its clauses are documents', 2, { [name]: [1] });
}
finds('query $comment', 'changes nothing', numbers, { a: 2, $comment: 'why' }, [2]);

const lists = [{ _id: 1, a: ['x', 'y'] }, { _id: 2, a: ['y', 'x', 'z'] }, { _id: 3, a: ['x'] }, { _id: 4, a: 'x' }, { _id: 5, a: [['x', 'y']] }];
finds('query $all', 'finds arrays with all of the values', lists, { a: { $all: ['x', 'y'] } }, [1, 2]);
finds('query $all', 'one value may stand alone', lists, { a: { $all: ['x'] } }, [1, 2, 3, 4]);
finds('query $all', 'an array among the values is equal to the whole or to an element', lists, { a: { $all: [['x', 'y']] } }, [1, 5]);
finds('query $all', 'of nothing finds nothing', lists, { a: { $all: [] } }, []);
finds(['query $all', 'query $elemMatch'], 'each $elemMatch has its element', [{ _id: 1, q: [{ s: 'M', n: 100 }, { s: 'G', n: 50 }] }, { _id: 2, q: [{ s: 'M', n: 100 }] }], { q: { $all: [{ $elemMatch: { s: 'M' } }, { $elemMatch: { n: { $lt: 60 } } }] } }, [1]);
finds('query $elemMatch', 'one element passes every operator', [{ _id: 1, r: [82, 85, 88] }, { _id: 2, r: [75, 88, 89] }, { _id: 3, r: 82 }], { r: { $elemMatch: { $gte: 80, $lt: 85 } } }, [1]);
finds('query $elemMatch', 'one document matches the whole filter', [{ _id: 1, r: [{ p: 'a', s: 10 }, { p: 'b', s: 5 }] }, { _id: 2, r: [{ p: 'a', s: 8 }, { p: 'b', s: 10 }] }], { r: { $elemMatch: { p: 'b', s: { $gte: 8 } } } }, [2]);
finds('query $elemMatch', 'takes logical operators', [{ _id: 1, r: [{ p: 1 }] }, { _id: 2, r: [{ p: 3 }] }], { r: { $elemMatch: { $or: [{ p: 1 }, { p: 2 }] } } }, [1]);
refuses('query $elemMatch', 'needs a document', 2, { a: { $elemMatch: 1 } });
finds('query $size', 'counts the elements', lists, { a: { $size: 2 } }, [1]);
refuses('query $size', 'cannot be negative', [2, 9], { a: { $size: -1 } });
refuses('query $all', 'needs an array', 2, { a: { $all: 1 } });

finds('query $mod', 'has the remainder', [{ _id: 1, q: 0 }, { _id: 2, q: 5 }, { _id: 3, q: 12 }], { q: { $mod: [4, 0] } }, [1, 3]);
finds('query $mod', 'drops the fraction of its arguments', [{ _id: 1, q: 0 }, { _id: 2, q: 5 }, { _id: 3, q: 12 }], { q: { $mod: [4.9, 0.5] } }, [1, 3]);
refuses('query $mod', 'needs two elements: not one', 2, { a: { $mod: [4] } });
refuses('query $mod', 'needs two elements: not three', 2, { a: { $mod: [4, 0, 1] } });
refuses('query $mod', 'does not divide by zero', 2, { a: { $mod: [0, 0] } });

const texts = [{ _id: 1, a: 'abc123' }, { _id: 2, a: 'ABC456' }, { _id: 3, a: 'Many   spaces' }, { _id: 4, a: 'one\nabc' }, { _id: 5, a: 5 }];
finds('query $regex', 'finds text', texts, { a: { $regex: '123$' } }, [1]);
finds(['query $regex', 'query $options'], 'i ignores case', texts, { a: { $regex: '^abc', $options: 'i' } }, [1, 2]);
finds('query $regex', 'm anchors at lines', texts, { a: { $regex: '^abc', $options: 'm' } }, [1, 4]);
finds('query $regex', 's lets a dot match a line feed', texts, { a: { $regex: 'one.abc', $options: 's' } }, [4]);
finds('query $regex', 'without s a dot does not match a line feed', texts, { a: { $regex: 'one.abc' } }, []);
finds('query $regex', 'x ignores white space and comments', texts, { a: { $regex: 'abc #code\n123', $options: 'x' } }, [1]);
finds('query $regex', 'takes a regular expression', texts, { a: { $regex: /^many/i } }, [3]);
finds('query', 'a regular expression stands for $regex', texts, { a: /^ABC/ }, [2]);
refuses('query $regex', 'a pattern that is none is an error', 51091, { a: { $regex: '(' } });
refuses('query $options', '$options alone is an error', 2, { a: { $options: 'i' } });

const bits = [{ _id: 1, a: 54 }, { _id: 2, a: 20 }, { _id: 3, a: 20.0 }, { _id: 4, a: new Binary(Buffer.from('Zg==', 'base64')) }, { _id: 5, a: 1.5 }];
finds('query $bitsAllSet', 'takes positions', bits, { a: { $bitsAllSet: [1, 5] } }, [1, 4]);
finds('query $bitsAllSet', 'takes a mask', bits, { a: { $bitsAllSet: 50 } }, [1]);
finds('query $bitsAllSet', 'takes binary data', bits, { a: { $bitsAllSet: new Binary(Buffer.from('MA==', 'base64')) } }, [1]);
finds('query $bitsAllClear', 'takes positions', bits, { a: { $bitsAllClear: [1, 5] } }, [2, 3]);
finds('query $bitsAllClear', 'takes a mask', bits, { a: { $bitsAllClear: 35 } }, [2, 3]);
finds('query $bitsAnySet', 'takes positions', bits, { a: { $bitsAnySet: [1, 5] } }, [1, 4]);
finds('query $bitsAnySet', 'takes a mask', bits, { a: { $bitsAnySet: 35 } }, [1, 4]);
finds('query $bitsAnyClear', 'takes positions', bits, { a: { $bitsAnyClear: [1, 5] } }, [2, 3]);
finds('query $bitsAnyClear', 'takes a mask', bits, { a: { $bitsAnyClear: 35 } }, [1, 2, 3, 4]);
refuses('query $bitsAllSet', 'does not take text', 2, { a: { $bitsAllSet: 'x' } });

const square = { $geometry: { type: 'Polygon', coordinates: [[[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]]] } };
finds('query $geoWithin', 'does not find what is no geometry', [{ _id: 1, a: 5 }, { _id: 2 }], { a: { $geoWithin: square } }, []);
finds('query $geoIntersects', 'does not find what is no geometry', [{ _id: 1, a: 5 }, { _id: 2 }], { a: { $geoIntersects: square } }, []);
for (const name of ['$near', '$nearSphere']) {
  refuses(`query ${name}`, 'needs a geospatial index', 291, { a: { [name]: { $geometry: { type: 'Point', coordinates: [1, 1] } } } });
}

finds('query $jsonSchema', 'finds documents that are valid', [{ _id: 1, a: 'x' }, { _id: 2, a: 1 }, { _id: 3 }], { $jsonSchema: { required: ['a'], properties: { a: { bsonType: 'string' } } } }, [1]);
refuses('query $jsonSchema', 'an unknown keyword is an error', 9, { $jsonSchema: { nonsense: 1 } });
refuses('query $jsonSchema', 'needs an object', 14, { $jsonSchema: 5 });
refuses('query $in', 'needs an array', 2, { a: { $in: 1 } });
refuses('query $nin', 'needs an array', 2, { a: { $nin: 1 } });
refuses('query', 'an unknown operator is an error', 2, { a: { $nonsense: 1 } });
refuses('query', 'an unknown operator at the top is an error', 2, { $nonsense: 1 });
refuses('query $gt', 'does not compare with a regular expression', 2, { a: { $gt: /x/ } });
refuses('query $ne', 'does not take a regular expression', 2, { a: { $ne: /x/ } });
