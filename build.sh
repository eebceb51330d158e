#!/usr/bin/env bash
# Everything one does with this repository. Needs the .NET 10 SDK and nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec </dev/null
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_UI_LANGUAGE=en

usage() {
  cat <<'EOF'
usage: ./build.sh <command> [--no-driver]

  sample        run the samples
  test          build all, pack the packages and run all tests; the last line is "N passed, N failed, N skipped"
  pack          pack the packages, into artifacts/packages
  bench [args]  run all benchmarks and write docs/performance.md; args go to BenchmarkDotNet instead, and nothing is written
  mutate [which] try every deliberate fault of tests/Medco.Csfle.Mutation/mutants.txt on the engine's tests and write the
                result into docs/reliability.md; with numbers, or parts of names or files, those alone, and nothing is written
  peers         install what the interoperability tests compare with: Debian's libmongocrypt, and the official
                Node.js driver (tests/Interop/node). The only command that installs anything on the machine

--no-driver takes only the projects that need no MongoDB package (Medco.Csfle.NoDriver.slnf) and builds
them under artifacts/no-driver. Without it a part of the solution is also taken, and said to be, where the
whole cannot be restored because a MongoDB package is not on the machine's NuGet sources: all but the
libmongocrypt engine if only MongoDB.Driver.Encryption is missing, else what needs no driver.
EOF
}

face=Medco.Csfle.sln   # what is built: the whole solution, or one of its filters
output=()              # where it is built, as arguments of dotnet
packages=$PWD/artifacts/packages

# Restores the whole solution. If MongoDB packages, and nothing else, are missing, falls back to what can be had without
# them: all but the libmongocrypt engine, or the driver-free filter.
choose_face() {
  local log errors missing others driver='(MongoDB(\.[A-Za-z]+)+|DnsClient|SharpCompress|Snappier|ZstdSharp\.Port)'
  if [[ $face == *.slnf ]]; then return; fi
  if log=$(dotnet restore "$face" 2>&1); then return; fi
  errors=$(grep -E '(^|[ :])error( [A-Z]+[0-9]+)? ?:' <<<"$log" || true)
  missing=$(sed -nE "s/.*error NU110[123]: .*package $driver(\. | ).*/\1/p" <<<"$errors" | sort -u)
  others=$(grep -vE "error NU110[123]: .*package $driver(\. | )" <<<"$errors" || true)
  if [[ -z $missing || -n $others ]]; then
    printf '%s\n\nThe restore of %s failed.\n' "$log" "$face" >&2
    return 1
  fi
  if [[ $missing == MongoDB.Driver.Encryption ]] && dotnet restore Medco.Csfle.NoLibMongoCrypt.slnf >/dev/null 2>&1; then
    face=Medco.Csfle.NoLibMongoCrypt.slnf
  else
    face=Medco.Csfle.NoDriver.slnf
  fi
  cat <<EOF

  *** NOT THE WHOLE SOLUTION ***
  The NuGet sources of this machine do not have:
$(sed 's/^/    /' <<<"$missing")
  What needs them is neither built, tested nor shown: going on with $face.

EOF
}

# The projects of the chosen face below a folder that have a line in their project file.
projects() {
  local project
  for project in "$1"/*/*.csproj "$1"/Interop/*/*.csproj; do
    if [[ ! -e $project ]]; then continue; fi
    if grep -q "$2" "$project" && grep -qF "$(basename "$project")" "$face"; then echo "$project"; fi
  done
}

sample() {
  local project status=0
  choose_face
  for project in $(projects samples '<OutputType>Exe'); do
    printf '\n== %s\n' "$(basename "$project" .csproj)"
    dotnet run -c Release --project "$project" ${output[@]+"${output[@]}"} || status=1
  done
  return $status
}

# Prints the skipped tests of a result file with their reasons, then "passed failed skipped" on a line of its own.
read_results() {
  awk '
    function attribute(name) { match($0, " " name "=\"[^\"]*"); return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) }
    function text(xml) {
      gsub(/<[^>]*>|^ +/, "", xml); gsub(/&lt;/, "<", xml); gsub(/&gt;/, ">", xml); gsub(/&quot;/, "\"", xml); gsub(/&amp;/, "\\&", xml)
      return xml
    }
    /<UnitTestResult / {
      outcome = attribute("outcome"); test = text(attribute("testName"))
      if (outcome == "Passed") passed++; else if (outcome == "NotExecuted") skipped++; else failed++
    }
    /<Message>/ && outcome == "NotExecuted" { print "  skipped " test ": " text($0); outcome = "" }
    END { print passed + 0, failed + 0, skipped + 0 }' "$@"
}

# Packs the packages of the chosen face, from an empty folder.
pack() {
  local project status=0
  choose_face || return 1
  rm -rf "$packages"
  for project in $(projects src '<Description>'); do
    dotnet pack "$project" -c Release -v quiet ${output[@]+"${output[@]}"} -o "$packages" || status=1
  done
  if ((status == 0)); then printf '\nPacked into %s\n' "$packages"; fi
  return $status
}

test_all() {
  local project name results report status p f s passed=0 failed=0 skipped=0
  if ! { choose_face && dotnet build "$face" -c Release -v quiet ${output[@]+"${output[@]}"}; }; then
    printf '\nRestore or build failed, so no test ran; that counts as one failure.\n0 passed, 1 failed, 0 skipped\n'
    return 1
  fi
  if pack; then
    export CSFLE_PACKAGES=$packages
  else
    failed=1
    printf '\nThe packages could not be packed; that counts as one failure, and their tests are skipped.\n'
  fi
  for project in $(projects tests '<IsTestProject>true'); do
    name=$(basename "$project" .csproj) results=artifacts/test-results/${face%.*}/$name status=0 p=0 f=0 s=0
    rm -rf "$results"
    printf '\n== %s\n' "$name"
    dotnet test "$project" -c Release --no-build ${output[@]+"${output[@]}"} --results-directory "$results" \
      --logger trx --logger 'console;verbosity=minimal' --blame-hang-timeout 10m --blame-hang-dump-type none || status=$?
    if compgen -G "$results/*.trx" >/dev/null; then
      report=$(read_results "$results"/*.trx)
      read -r p f s <<<"$(tail -n 1 <<<"$report")"
      sed '$d' <<<"$report"
    fi
    # A run that broke off, or in which no test was found, has no failed test to show and is a failure all the same.
    if ((f == 0 && (status != 0 || p + s == 0))); then
      f=1
      echo "  the run did not complete or found no test; that counts as one failure"
    fi
    echo "  $name: $p passed, $f failed, $s skipped"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  done
  printf '\nTested: %s\n' "$face"
  if ((passed + failed == 0)); then failed=1; echo "No test was run; that counts as one failure."; fi
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
}

# Everything that can be had is installed, even if something else cannot; then the command fails.
peers() {
  local debian=(libmongocrypt0 libmongocrypt-dev libbson-dev) as_root='' missing=() package
  for package in "${debian[@]}"; do
    if [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) != 'install ok installed' ]]; then missing+=("$package"); fi
  done
  local status=0
  if ((${#missing[@]})); then
    if (($(id -u) != 0)); then as_root=sudo; fi
    if ! { command -v apt-get && $as_root apt-get update -q && $as_root apt-get install -q -y "${missing[@]}"; }; then
      status=1
      echo "*** libmongocrypt could not be installed (Debian or Ubuntu packages: ${missing[*]}). Its tests will be skipped." >&2
    fi
  else
    echo "libmongocrypt: installed (${debian[*]})"
  fi
  # dynamic: where no compiled addon can be downloaded, it is built against the libmongocrypt of the system.
  if ! { command -v npm >/dev/null && (cd tests/Interop/node && BUILD_TYPE=dynamic npm ci --no-audit --no-fund) \
      && (cd tests/Interop/node && node -e "import('mongodb-client-encryption').then(addon => console.log('mongodb-client-encryption: libmongocrypt ' + addon.MongoCrypt.libmongocryptVersion))"); }; then
    status=1
    echo "*** The Node.js packages could not be installed (Node.js 20 or newer with npm is needed). Their tests will be skipped." >&2
  fi
  return $status
}

# Those with a driver write their figures to a file, from which they go onto the page.
bench() {
  local figures=artifacts/benchmarks/driver.json driver=benchmarks/Medco.Csfle.Benchmarks.Driver
  if (($# > 0)); then
    dotnet run -c Release --project benchmarks/Medco.Csfle.Benchmarks -- "$@"
    return
  fi
  rm -f "$figures"
  if dotnet restore "$driver" >/dev/null 2>&1; then
    dotnet run -c Release --project "$driver" -- figures "$figures"
  else
    printf '\n*** MongoDB.Driver.Encryption cannot be restored on this machine: what is measured with it and with the driver is left out.\n\n'
  fi
  dotnet run -c Release --project benchmarks/Medco.Csfle.Benchmarks -- page docs/performance.md "$figures"
}

# The tree is not touched: the faults are compiled elsewhere, and the tests run in copies.
mutate() {
  dotnet build tests/Medco.Csfle.Engine.Tests -c Release -v quiet
  dotnet run -c Release --project tests/Medco.Csfle.Mutation -- "$@"
}

command=${1:-}
if (($# > 0)); then shift; fi
if [[ $command != bench && $command != mutate && ${1:-} == --no-driver ]]; then
  shift
  face=Medco.Csfle.NoDriver.slnf output=(--artifacts-path "$PWD/artifacts/no-driver") packages=$PWD/artifacts/no-driver/packages
fi
if [[ $command != bench && $command != mutate && $# -gt 0 ]]; then usage >&2; exit 2; fi
case $command in
  sample) sample ;;
  test) test_all ;;
  pack) pack ;;
  bench) bench "$@" ;;
  mutate) mutate "$@" ;;
  peers) peers ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
