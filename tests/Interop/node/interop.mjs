// One scenario of the interoperability tests, with the official Node.js driver. Takes its settings as one line of Extended
// JSON on standard input, and answers with one line of canonical Extended JSON on standard output.
import { Binary, ClientEncryption, MongoClient, BSON } from 'mongodb';
import { text } from 'node:stream/consumers';

const settings = BSON.EJSON.parse(await text(process.stdin), { relaxed: false });
const { uri, keyVaultNamespace, masterKey, mongocryptdUri, schemaMap } = settings;
const kmsProviders = { local: { key: Buffer.from(masterKey, 'base64') } };
const namespace = settings.namespace ?? 'medicalRecords.patients';
const [database, name] = namespace.split('.');

async function withClient(options, use) {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 20000, ...options });
  try {
    return await use(client.db(database).collection(name), client);
  } finally {
    await client.close();
  }
}

const withPlainClient = use => withClient({}, use);
const withClientEncryption = use =>
  withPlainClient((collection, client) => use(new ClientEncryption(client, { keyVaultNamespace, kmsProviders }), collection, client));
const withDecryptingClient = use =>
  withClient({ autoEncryption: { keyVaultNamespace, kmsProviders, bypassAutoEncryption: true } }, use);
const withEncryptingClient = use => withClient({
  autoEncryption: {
    keyVaultNamespace, kmsProviders, schemaMap,
    extraOptions: { mongocryptdURI: mongocryptdUri, mongocryptdBypassSpawn: true, cryptSharedLibSearchPaths: [] },
  },
}, use);

// The code of an error is what tests compare; its text is for people.
async function outcome(action) {
  try {
    return { result: await action() };
  } catch (error) {
    return { error: { name: error.name, message: error.message, code: error.code ?? null } };
  }
}

const scenarios = {
  // What a client without encryption sees.
  readPlain: () => withPlainClient(async patients => ({ documents: await patients.find({}).sort({ _id: 1 }).toArray() })),

  // What a client sees that decrypts by itself.
  readDecrypted: () => withDecryptingClient(async patients => ({ documents: await patients.find({}).sort({ _id: 1 }).toArray() })),

  // Values encrypted explicitly, one after the other, and values of the other side decrypted.
  explicit: () => withClientEncryption(async encryption => {
    const encrypted = [];
    for (const { value, algorithm, keyId, keyAltName } of settings.encrypt) {
      encrypted.push(await encryption.encrypt(value, { algorithm, ...(keyId ? { keyId } : { keyAltName }) }));
    }
    const decrypted = [];
    for (const ciphertext of settings.decrypt) decrypted.push(await encryption.decrypt(ciphertext));
    return { encrypted, decrypted };
  }),

  // Everything through an encrypting client: query analysis is asked at mongocryptdUri.
  automatic: () => withEncryptingClient(async patients => {
    await patients.insertMany(settings.documents);
    const found = await patients.find({ ssn: settings.ssn }).toArray();
    const foundByPolicy = await patients.find({ 'insurance.policyNumber': { $in: [settings.policyNumber] } }).toArray();
    const update = await patients.updateOne({ ssn: settings.ssn }, { $set: { bloodType: settings.bloodType } });
    const bulk = await patients.bulkWrite([
      { updateOne: { filter: { ssn: settings.ssn }, update: { $set: { 'insurance.policyNumber': settings.newPolicyNumber } } } },
      { deleteOne: { filter: { ssn: settings.ssnToDelete } } },
    ]);
    const changed = await patients.findOneAndUpdate({ ssn: settings.ssn }, { $set: { name: settings.newName } }, { returnDocument: 'after' });
    const aggregated = await patients.aggregate([{ $match: { ssn: settings.ssn } }, { $project: { _id: 0, name: 1, ssn: 1 } }]).toArray();
    return {
      found, foundByPolicy, changed, aggregated,
      modified: update.modifiedCount, bulkModified: bulk.modifiedCount, bulkDeleted: bulk.deletedCount,
      count: await patients.countDocuments({ ssn: settings.ssn }),
      distinct: await patients.distinct('ssn', { ssn: settings.ssn }),
      // What analysis refuses never leaves.
      refused: (await outcome(() => patients.findOne({ ssn: { $gt: settings.ssn } }))).error,
      refusedSort: (await outcome(() => patients.find({}).sort({ ssn: 1 }).toArray())).error,
    };
  }),

  // Key management from this side.
  keys: () => withClientEncryption(async encryption => {
    const created = await encryption.createDataKey('local', { keyAltNames: settings.newNames });
    await encryption.addKeyAltName(settings.keyId, settings.addedName);
    const removed = await encryption.removeKeyAltName(settings.keyId, settings.removedName);
    const byName = await encryption.getKeyByAltName(settings.addedName);
    const before = await encryption.getKey(settings.keyId);
    const rewrapped = await encryption.rewrapManyDataKey({ _id: settings.keyId }, { provider: 'local' });
    const after = await encryption.getKey(settings.keyId);
    const deleted = await encryption.deleteKey(settings.deletedKeyId);
    return {
      created, removed, byName, before, after,
      rewrapped: rewrapped.bulkWriteResult?.modifiedCount ?? 0,
      deleted: deleted.deletedCount,
      names: (await encryption.getKeys().toArray()).flatMap(key => key.keyAltNames ?? []).sort(),
      duplicate: (await outcome(() => encryption.createDataKey('local', { keyAltNames: settings.newNames }))).error,
    };
  }),
};

const scenario = scenarios[process.argv[2]];
if (!scenario) throw new Error(`There is no scenario '${process.argv[2]}'.`);
process.stdout.write(BSON.EJSON.stringify(await scenario(), { relaxed: false }) + '\n');
