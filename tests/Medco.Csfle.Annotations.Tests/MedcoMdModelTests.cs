using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MedcoMd.Model;

namespace Medco.Csfle.Annotations.Tests;

/// <summary>The classes of the samples say what the guide's field table says, and the sample data is data of these classes.</summary>
public class MedcoMdModelTests
{
    private static readonly JsonSerializerOptions StoredForm = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Fact]
    public void A_patient_in_camel_case_has_the_stored_form_of_the_guide()
        => Assert.Equal(
            """
            {"name":"Jon Doe","ssn":241014209,"last4ssn":4209,"bloodType":"AB+","medicalRecords":[{"weight":180,"bloodPressure":"120/80"}],"insurance":{"policyNumber":123142,"provider":"MaestCare"},"version":0}
            """,
            JsonSerializer.Serialize(JonDoe.Create(), StoredForm));

    [Fact]
    public void The_marks_are_those_of_the_field_table()
    {
        var marks = new[] { typeof(Patient), typeof(Insurance), typeof(MedicalRecord) }
            .SelectMany(type => type.GetProperties())
            .SelectMany(property => property.GetCustomAttributes().Where(mark => mark is DeterministicAttribute or RandomAttribute)
                .Select(mark => $"{property.DeclaringType!.Name}.{property.Name} {mark.GetType().Name}"));

        Assert.Equal(
            [
                "Patient.Ssn DeterministicAttribute",
                "Patient.BloodType RandomAttribute",
                "Patient.MedicalRecords RandomAttribute",
                "Insurance.PolicyNumber DeterministicAttribute",
            ],
            marks);
        Assert.Equal("medicalRecords.patients", typeof(Patient).GetCustomAttribute<EncryptedCollectionAttribute>()?.Namespace);
        Assert.Equal("medco-patients", typeof(Patient).GetCustomAttribute<DataKeyAttribute>()?.KeyAltName);
    }

    [Fact]
    public void The_sample_data_holds_a_thousand_patients_who_can_be_told_apart()
    {
        var lines = File.ReadAllLines(SampleData());
        var patients = lines.Select(line => JsonSerializer.Deserialize<Patient>(line, StoredForm)!).ToList();

        Assert.Equal(1000, patients.Count);
        // The data has the fields of the guide's table; that of the version begins with the first change.
        Assert.Equal(lines.Select(line => $"{line[..^1]},\"version\":0}}"), patients.Select(patient => JsonSerializer.Serialize(patient, StoredForm)));
        Assert.Equal(1000, patients.Select(patient => patient.Ssn).Distinct().Count());
        Assert.Equal(1000, patients.Select(patient => patient.Insurance.PolicyNumber).Distinct().Count());
        Assert.Equal(8, patients.Select(patient => patient.BloodType).Distinct().Count());
        Assert.All(patients, patient =>
        {
            Assert.InRange(patient.Ssn, 900_010_001, 999_499_999);
            Assert.InRange(patient.Ssn / 10_000 % 100, 1, 49);
            Assert.Equal(patient.Ssn % 10_000, patient.Last4ssn);
            Assert.InRange(patient.MedicalRecords.Count, 0, 5);
        });
    }

    private static string SampleData()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var file = Path.Combine(directory.FullName, "samples", "data", "patients.jsonl");
            if (File.Exists(file)) return file;
        }

        throw new FileNotFoundException("No samples/data/patients.jsonl above the tests.");
    }
}
