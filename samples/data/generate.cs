#:project ../MedcoMd.Model/MedcoMd.Model.csproj
#:property PublishAot=false

// Writes 1,000 patients as JSON, one object a line, to the standard output. See README.md beside it.
using System.Text.Encodings.Web;
using System.Text.Json;
using MedcoMd.Model;

string[] firstNames =
[
    "Ada", "Alma", "Basil", "Bruno", "Cleo", "Cyrus", "Dara", "Edda", "Emil", "Fern", "Flora", "Gideon", "Hugo", "Ida", "Ines", "Ivo",
    "Jonas", "Juno", "Kaya", "Lars", "Linus", "Mabel", "Milo", "Nora", "Odin", "Olive", "Petra", "Quinn", "Rufus", "Saskia", "Tilda",
    "Ulla", "Vera", "Willa", "Xenia", "Yara", "Zeno", "Zora",
];
string[] lastNames =
[
    "Appleshade", "Bramblewick", "Candlewright", "Dapplegrove", "Emberlow", "Fennimoor", "Goldenreed", "Hollowbrook", "Inkwater",
    "Juniperhill", "Kestrelby", "Larkmeadow", "Mossgarden", "Nettleford", "Oakenshire", "Pebblesworth", "Quillfeather", "Rainbarrow",
    "Silverthistle", "Tumbledown", "Underbough", "Velvetmoor", "Willowmere", "Yarrowfield", "Zephyrdale",
];
string[] providers = ["MaestCare", "Northlight Mutual", "Cedarbrook Health", "Blue Lantern", "Fairhaven Trust", "Stillwater Assurance"];
(string Type, int PerMille)[] bloodTypes =
    [("O+", 374), ("A+", 357), ("B+", 85), ("O-", 66), ("A-", 63), ("AB+", 34), ("B-", 15), ("AB-", 6)];

// A generator of our own, because System.Random may give other numbers in another version of .NET.
var state = 20_190_613UL;
int Next(int low, int high)
{
    state = unchecked((state * 6_364_136_223_846_793_005UL) + 1_442_695_040_888_963_407UL);
    return low + (int)((state >> 33) % (ulong)(high - low + 1));
}

string Pick(string[] choices) => choices[Next(0, choices.Length - 1)];

int Unused(HashSet<int> used, Func<int> draw)
{
    var number = draw();
    while (!used.Add(number)) number = draw();
    return number;
}

string PickBloodType()
{
    var ticket = Next(1, 1000);
    foreach (var (type, perMille) in bloodTypes)
    {
        ticket -= perMille;
        if (ticket <= 0) return type;
    }

    throw new InvalidOperationException("The frequencies of the blood types do not add up to 1000.");
}

List<MedicalRecord> Visits(int count)
{
    var weight = Next(98, 270);
    var visits = new List<MedicalRecord>();
    while (visits.Count < count)
    {
        var systolic = Next(96, 164);
        visits.Add(new MedicalRecord { Weight = weight, BloodPressure = $"{systolic}/{(systolic / 2) + Next(2, 22)}" });
        weight += Next(-6, 6);
    }

    return visits;
}

var json = new JsonSerializerOptions
{
    PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // "AB+", not "AB\u002B"
};
var ssns = new HashSet<int>();
var policyNumbers = new HashSet<int>();
using var output = Console.OpenStandardOutput();
for (var i = 0; i < 1000; i++)
{
    // Area 900 to 999 is never issued as a social security number, and group 01 to 49 there is no taxpayer number either.
    var ssn = Unused(ssns, () => (Next(900, 999) * 1_000_000) + (Next(1, 49) * 10_000) + Next(1, 9999));
    output.Write(JsonSerializer.SerializeToUtf8Bytes(
        new Patient
        {
            Name = $"{Pick(firstNames)} {Pick(lastNames)}",
            Ssn = ssn,
            Last4ssn = ssn % 10_000,
            BloodType = PickBloodType(),
            MedicalRecords = Visits(Next(0, 5)),
            Insurance = new Insurance { PolicyNumber = Unused(policyNumbers, () => Next(100_000, 999_999)), Provider = Pick(providers) },
        },
        json));
    output.WriteByte((byte)'\n');
}
