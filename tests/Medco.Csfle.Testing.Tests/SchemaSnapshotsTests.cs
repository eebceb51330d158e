namespace Medco.Csfle.Testing.Tests;

public sealed class SchemaSnapshotsTests : IDisposable
{
    private readonly CsfleClientFactory _csfle = CsfleTestFactory.Create(csfle => csfle.AddCollection<Person>());
    private readonly string _folder = Directory.CreateTempSubdirectory("schema-snapshots-").FullName;

    public void Dispose()
    {
        _csfle.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void The_schemas_match_the_snapshot_beside_this_file() => _csfle.ShouldMatchSchemaSnapshot("people.schema.json");

    [Fact]
    public void It_is_found_where_the_build_mapped_the_source_paths()
        => _csfle.ShouldMatchSchemaSnapshot("people.schema.json", "/_/tests/Medco.Csfle.Testing.Tests/SchemaSnapshotsTests.cs");

    [Fact]
    public void Key_vaults_with_other_ids_give_the_same_snapshot_which_names_the_keys()
    {
        using var other = CsfleTestFactory.Create(csfle => csfle.AddCollection<Person>());

        Assert.Equal(SchemaSnapshots.TextOf(_csfle), SchemaSnapshots.TextOf(other));
        Assert.Contains("\"clinic-people\"", SchemaSnapshots.TextOf(_csfle), StringComparison.Ordinal);
        Assert.DoesNotContain("$binary", SchemaSnapshots.TextOf(_csfle), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_without_a_name_keeps_its_id()
        => Assert.Contains("$binary", SchemaSnapshots.TextOf(_csfle.Schemas, []), StringComparison.Ordinal);

    [Fact]
    public void A_snapshot_that_is_not_there_is_written_but_fails_on_a_build_server()
    {
        var path = Path.Combine(_folder, "new.json");

        Assert.Throws<EncryptionAssertionException>(() => SchemaSnapshots.Check(path, "a\n", accept: false, isBuildServer: true));
        Assert.False(File.Exists(path));

        SchemaSnapshots.Check(path, "a\n", accept: false, isBuildServer: false);
        Assert.Equal("a\n", File.ReadAllText(path));
        SchemaSnapshots.Check(path, "a\n", accept: false, isBuildServer: true);
    }

    [Fact]
    public void What_differs_is_shown_line_by_line_and_the_file_stays_until_it_is_accepted()
    {
        var path = Path.Combine(_folder, "changed.json");
        File.WriteAllText(path, "one\r\ntwo\r\nthree\r\n");

        var exception = Assert.Throws<EncryptionAssertionException>(() => SchemaSnapshots.Check(path, "one\n2\nthree\n", accept: false, isBuildServer: false));

        Assert.Contains("  one\n- two\n+ 2\n  three", exception.Message.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.StartsWith("one\r\n", File.ReadAllText(path), StringComparison.Ordinal);

        SchemaSnapshots.Check(path, "one\n2\nthree\n", accept: true, isBuildServer: false);
        Assert.Equal("one\n2\nthree\n", File.ReadAllText(path));
    }

    [Fact]
    public void Line_endings_of_a_checkout_do_not_matter()
    {
        var path = Path.Combine(_folder, "windows.json");
        File.WriteAllText(path, "one\r\ntwo\r\n");

        SchemaSnapshots.Check(path, "one\ntwo\n", accept: false, isBuildServer: true);
    }

    [Fact]
    public void Lines_far_from_a_difference_are_left_out()
    {
        var lines = Enumerable.Range(1, 40).Select(number => $"line {number}").ToArray();
        var before = string.Join('\n', lines);
        lines[4] = "first";
        lines[29] = "second";

        var difference = LineDifference.Of(before, string.Join('\n', lines));

        Assert.Contains("- line 5\n+ first", difference, StringComparison.Ordinal);
        Assert.Contains("…", difference, StringComparison.Ordinal);
        Assert.Contains("- line 30\n+ second", difference, StringComparison.Ordinal);
        Assert.DoesNotContain("line 15", difference, StringComparison.Ordinal);
    }

    [Fact]
    public void A_source_folder_that_is_not_on_this_machine_is_said()
        => Assert.Contains("DeterministicSourcePaths", Assert.Throws<EncryptionAssertionException>(
            () => _csfle.ShouldMatchSchemaSnapshot("people.schema.json", "/_/tests/not/here/Tests.cs")).Message, StringComparison.Ordinal);
}
