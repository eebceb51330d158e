namespace Medco.Csfle.Engine.Kms;

/// <summary>How far the writing of a file has come; between any two the process or the disk may fail.</summary>
internal enum FileWriteStep
{
    /// <summary>A temporary file is there, without content.</summary>
    Created,

    /// <summary>The content was handed to the operating system.</summary>
    Written,

    /// <summary>The content is on the disk, still under the temporary name.</summary>
    Flushed,

    /// <summary>The file has its name; that the name is on the disk is still to be made sure of.</summary>
    Published,
}
