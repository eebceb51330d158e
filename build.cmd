<# :
@echo off
rem What build.sh is, for Windows: the lines down to the closing mark are batch, the rest is PowerShell, which comes with Windows.
setlocal
set "BUILD_FILE=%~f0"
powershell -NoProfile -ExecutionPolicy Bypass -Command "& ([ScriptBlock]::Create((Get-Content -Raw -LiteralPath $env:BUILD_FILE)))" %* <nul
exit /b %ERRORLEVEL%
#>
$ErrorActionPreference = 'Stop'
Set-Location -LiteralPath (Split-Path -Parent $env:BUILD_FILE)
$env:DOTNET_NOLOGO = '1'; $env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'; $env:DOTNET_CLI_UI_LANGUAGE = 'en'

# Face is what is built: the whole solution, or one of its filters. Output is where, as arguments of dotnet.
$build = @{ Face = 'Medco.Csfle.sln'; Output = @(); Packages = (Join-Path (Get-Location).Path 'artifacts\packages') }

function Show-Usage {
    @'
usage: build <command> [--no-driver]

  sample        run the samples
  test          build all, pack the packages and run all tests; the last line is "N passed, N failed, N skipped"
  pack          pack the packages, into artifacts\packages
  bench [args]  run all benchmarks and write docs\performance.md; args go to BenchmarkDotNet instead, and nothing is written
  mutate [which] try every deliberate fault of tests\Medco.Csfle.Mutation\mutants.txt on the engine's tests and write the
                result into docs\reliability.md; with numbers, or parts of names or files, those alone, and nothing is written

What the interoperability tests compare with (libmongocrypt, the Node.js driver) is installed by build.sh peers,
on Debian and its relatives only; here these tests are skipped with the reason.

--no-driver takes only the projects that need no MongoDB package (Medco.Csfle.NoDriver.slnf) and builds
them under artifacts\no-driver. Without it a part of the solution is also taken, and said to be, where the
whole cannot be restored because a MongoDB package is not on the machine's NuGet sources: all but the
libmongocrypt engine if only MongoDB.Driver.Encryption is missing, else what needs no driver.
'@ | Out-Host
}

# Restores the whole solution. If MongoDB packages, and nothing else, are missing, falls back to what can be had without
# them: all but the libmongocrypt engine, or the driver-free filter.
function Select-Face {
    if ($build.Face -like '*.slnf') { return }
    $log = @(dotnet restore $build.Face)
    if ($LASTEXITCODE -eq 0) { return }
    $missingDriver = 'error NU110[123]: .*package (?<name>MongoDB(\.[A-Za-z]+)+|DnsClient|SharpCompress|Snappier|ZstdSharp\.Port)(\. | )'
    $errors = @($log -cmatch '(^|[ :])error( [A-Z]+[0-9]+)? ?:')
    $others = @($errors -cnotmatch $missingDriver)
    $missing = @($errors | Where-Object { $_ -cmatch $missingDriver } | ForEach-Object { $Matches['name'] } | Sort-Object -Unique)
    if ($missing.Count -eq 0 -or $others.Count -gt 0) {
        $log | Out-Host
        throw "The restore of $($build.Face) failed."
    }
    $build.Face = 'Medco.Csfle.NoDriver.slnf'
    if ("$missing" -eq 'MongoDB.Driver.Encryption') {
        dotnet restore Medco.Csfle.NoLibMongoCrypt.slnf | Out-Null
        if ($LASTEXITCODE -eq 0) { $build.Face = 'Medco.Csfle.NoLibMongoCrypt.slnf' }
    }
    "`n  *** NOT THE WHOLE SOLUTION ***`n  The NuGet sources of this machine do not have:" | Out-Host
    $missing | ForEach-Object { "    $_" } | Out-Host
    "  What needs them is neither built, tested nor shown: going on with $($build.Face).`n" | Out-Host
}

# The projects of the chosen face below a folder that have a line in their project file.
function Find-Projects($folder, $line) {
    $members = Get-Content -Raw $build.Face
    Get-ChildItem "$folder\*\*.csproj", "$folder\Interop\*\*.csproj" -ErrorAction SilentlyContinue | Where-Object { (Get-Content -Raw $_.FullName).Contains($line) -and $members.Contains($_.Name) }
}

function Invoke-Samples {
    $status = 0
    Select-Face
    foreach ($project in @(Find-Projects 'samples' '<OutputType>Exe')) {
        "`n== $($project.BaseName)" | Out-Host
        $output = $build.Output
        dotnet run -c Release --project $project.FullName @output | Out-Host
        if ($LASTEXITCODE -ne 0) { $status = 1 }
    }
    exit $status
}

# Packs the packages of the chosen face, from an empty folder. Says whether it could.
function Invoke-Pack {
    $packed = $true
    $output = $build.Output
    Select-Face
    if (Test-Path $build.Packages) { Remove-Item -Recurse -Force $build.Packages }
    foreach ($project in @(Find-Projects 'src' '<Description>')) {
        dotnet pack $project.FullName -c Release -v quiet @output -o $build.Packages | Out-Host
        if ($LASTEXITCODE -ne 0) { $packed = $false }
    }
    if ($packed) { "`nPacked into $($build.Packages)" | Out-Host }
    return $packed
}

function Invoke-Tests {
    $passed = 0; $failed = 0; $skipped = 0
    $output = $build.Output
    try {
        Select-Face
        dotnet build $build.Face -c Release -v quiet @output | Out-Host
        if ($LASTEXITCODE -ne 0) { throw 'The build failed.' }
    }
    catch {
        "`n$($_.Exception.Message) No test ran; that counts as one failure.`n0 passed, 1 failed, 0 skipped" | Out-Host
        exit 1
    }
    if (Invoke-Pack) { $env:CSFLE_PACKAGES = $build.Packages }
    else {
        $failed = 1
        "`nThe packages could not be packed; that counts as one failure, and their tests are skipped." | Out-Host
    }
    foreach ($project in @(Find-Projects 'tests' '<IsTestProject>true')) {
        $p = 0; $f = 0; $s = 0
        $name = $project.BaseName
        $results = "artifacts\test-results\$([IO.Path]::GetFileNameWithoutExtension($build.Face))\$name"
        if (Test-Path $results) { Remove-Item -Recurse -Force $results }
        "`n== $name" | Out-Host
        dotnet test $project.FullName -c Release --no-build @output --results-directory $results --logger trx `
            --logger 'console;verbosity=minimal' --blame-hang-timeout 10m --blame-hang-dump-type none | Out-Host
        $status = $LASTEXITCODE
        foreach ($file in @(Get-ChildItem "$results\*.trx" -ErrorAction SilentlyContinue)) {
            $trx = New-Object Xml.XmlDocument
            $trx.Load($file.FullName)
            foreach ($test in $trx.GetElementsByTagName('UnitTestResult')) {
                switch ($test.outcome) {
                    'Passed' { $p++ }
                    'NotExecuted' { $s++; "  skipped $($test.testName): $($test.Output.ErrorInfo.Message)" | Out-Host }
                    default { $f++ }
                }
            }
        }
        # A run that broke off, or in which no test was found, has no failed test to show and is a failure all the same.
        if ($f -eq 0 -and ($status -ne 0 -or $p + $s -eq 0)) {
            $f = 1
            '  the run did not complete or found no test; that counts as one failure' | Out-Host
        }
        "  ${name}: $p passed, $f failed, $s skipped" | Out-Host
        $passed += $p; $failed += $f; $skipped += $s
    }
    "`nTested: $($build.Face)" | Out-Host
    if ($passed + $failed -eq 0) { $failed = 1; 'No test was run; that counts as one failure.' | Out-Host }
    "$passed passed, $failed failed, $skipped skipped" | Out-Host
    if ($failed -gt 0) { exit 1 } else { exit 0 }
}

# All benchmarks, onto the page. Those with a driver write their figures to a file, from which they go there.
function Invoke-Benchmarks {
    $figures = 'artifacts\benchmarks\driver.json'
    $driver = 'benchmarks\Medco.Csfle.Benchmarks.Driver'
    if (Test-Path $figures) { Remove-Item -Force $figures }
    dotnet restore $driver | Out-Null
    if ($LASTEXITCODE -eq 0) {
        dotnet run -c Release --project $driver -- figures $figures | Out-Host
        if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    }
    else { "`n*** MongoDB.Driver.Encryption cannot be restored on this machine: what is measured with it and with the driver is left out.`n" | Out-Host }
    dotnet run -c Release --project benchmarks\Medco.Csfle.Benchmarks -- page docs\performance.md $figures | Out-Host
    exit $LASTEXITCODE
}

$command, $rest = $args
$rest = @($rest | Where-Object { $null -ne $_ })
if ($command -eq 'bench') {
    if ($rest.Count -eq 0) { Invoke-Benchmarks }
    dotnet run -c Release --project benchmarks\Medco.Csfle.Benchmarks -- @rest | Out-Host
    exit $LASTEXITCODE
}
if ($command -eq 'mutate') {
    dotnet build tests\Medco.Csfle.Engine.Tests -c Release -v quiet | Out-Host
    if ($LASTEXITCODE -eq 0) { dotnet run -c Release --project tests\Medco.Csfle.Mutation -- @rest | Out-Host }
    exit $LASTEXITCODE
}
if ($rest.Count -eq 1 -and $rest[0] -eq '--no-driver') {
    $rest = @()
    $build.Face = 'Medco.Csfle.NoDriver.slnf'
    $build.Output = @('--artifacts-path', (Join-Path (Get-Location).Path 'artifacts\no-driver'))
    $build.Packages = Join-Path (Get-Location).Path 'artifacts\no-driver\packages'
}
if ($rest.Count -gt 0) { Show-Usage; exit 2 }
switch ($command) {
    'sample' { Invoke-Samples }
    'test' { Invoke-Tests }
    'pack' { if (Invoke-Pack) { exit 0 } else { exit 1 } }
    { $_ -in 'help', '-h', '--help' } { Show-Usage; exit 0 }
    default { Show-Usage; exit 2 }
}
