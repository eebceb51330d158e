using MongoDB.Bson;

namespace Medco.Csfle.Benchmarks.Driver;

/// <summary>What every document of the clinic has.</summary>
internal interface IClinicDocument
{
    ObjectId Id { get; set; }

    string Title { get; set; }

    int PatientNumber { get; set; }

    string Notes { get; set; }

    List<string> Details { get; set; }

    DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Admission : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Allergy : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Appointment : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Consent : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Diagnosis : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Discharge : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Examination : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Guardian : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Immunization : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Invoice : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class LaboratoryResult : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Medication : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Operation : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Payment : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Prescription : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Radiograph : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Referral : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Staff : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Therapy : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}

[DataKey("clinic")]
internal sealed class Visit : IClinicDocument
{
    public ObjectId Id { get; set; }

    public string Title { get; set; } = "";

    [Deterministic]
    public int PatientNumber { get; set; }

    [Random]
    public string Notes { get; set; } = "";

    [Random]
    public List<string> Details { get; set; } = [];

    public DateTime At { get; set; }
}
