namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>
/// Validators on the server that refuse plaintext in encrypted fields, whoever writes it: planned, shown and applied.
/// </summary>
/// <remarks>Safe to use from many threads, and by many processes at the same time: what is applied is what a fresh look asks for.</remarks>
public sealed class ServerEnforcement
{
    // The first batch of a reply has room for more, so that no cursor stays open.
    private const int CollectionsPerQuestion = 50;

    // Everybody who changes the same validator at the same time wins once.
    private const int MaxAttempts = 5;

    private readonly IMongoCommandRunner _runner;

    /// <summary>Asks and changes a server.</summary>
    /// <param name="runner">Runs the commands; never through a client that encrypts.</param>
    public ServerEnforcement(IMongoCommandRunner runner)
    {
        ArgumentNullException.ThrowIfNull(runner);
        _runner = runner;
    }

    /// <summary>Compares the validators that collections have with those that are wanted. Changes nothing.</summary>
    /// <param name="wanted">The collections, each once.</param>
    /// <param name="countRejectedDocuments">
    /// Whether to count the documents that the wanted rules would refuse; the server reads every document for it.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="EnforcementException"><see cref="CsfleErrorCode.EnforcementFailed"/>: the server cannot be asked, or its answer not understood.</exception>
    public EnforcementPlan Plan(IReadOnlyCollection<WantedValidator> wanted, bool countRejectedDocuments = false, CancellationToken cancellationToken = default)
    {
        var look = new Look(wanted);
        foreach (var question in look.Questions) look.Answer(question, Run(question.Database, question.Namespace, question.Command, cancellationToken));
        if (countRejectedDocuments)
        {
            foreach (var counted in look.ToCount()) look.Answer(counted, Run(counted.Wanted.Address.Database, counted.Namespace, counted.ToCount(), cancellationToken));
        }

        return look.ToPlan();
    }

    /// <inheritdoc cref="Plan"/>
    public async ValueTask<EnforcementPlan> PlanAsync(IReadOnlyCollection<WantedValidator> wanted, bool countRejectedDocuments = false, CancellationToken cancellationToken = default)
    {
        var look = new Look(wanted);
        foreach (var question in look.Questions) look.Answer(question, await RunAsync(question.Database, question.Namespace, question.Command, cancellationToken).ConfigureAwait(false));
        if (countRejectedDocuments)
        {
            foreach (var counted in look.ToCount())
            {
                look.Answer(counted, await RunAsync(counted.Wanted.Address.Database, counted.Namespace, counted.ToCount(), cancellationToken).ConfigureAwait(false));
            }
        }

        return look.ToPlan();
    }

    /// <summary>
    /// Creates or modifies what a plan shows, and reads it back. Where the server has changed since the plan was made, what is
    /// missing now is added, but nothing is changed or removed that the plan did not show.
    /// </summary>
    /// <param name="plan">The plan. One with conflicts is refused as a whole.</param>
    /// <param name="cancellationToken">Gives up waiting; what was applied stays.</param>
    /// <returns>How the collections stand now: enforced, all of them.</returns>
    /// <exception cref="EnforcementException">
    /// <see cref="CsfleErrorCode.EnforcementConflict"/>: a validator may not be changed as wanted;
    /// <see cref="CsfleErrorCode.PlanOutdated"/>: more would be changed than the plan shows;
    /// <see cref="CsfleErrorCode.EnforcementFailed"/>: the server cannot be asked, or refused;
    /// <see cref="CsfleErrorCode.NotEnforced"/>: it does not stay as it was applied.
    /// </exception>
    public EnforcementPlan Apply(EnforcementPlan plan, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        plan.ThrowIfConflicting();
        foreach (var planned in plan.Collections)
        {
            var application = new Application(planned);
            while (application.Next(Plan([planned.Wanted], false, cancellationToken)) is { } command)
            {
                application.Answer(Run(planned.Wanted.Address.Database, planned.Namespace, command, cancellationToken));
            }
        }

        return Plan([.. plan.Collections.Select(planned => planned.Wanted)], false, cancellationToken);
    }

    /// <inheritdoc cref="Apply"/>
    public async ValueTask<EnforcementPlan> ApplyAsync(EnforcementPlan plan, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        plan.ThrowIfConflicting();
        foreach (var planned in plan.Collections)
        {
            var application = new Application(planned);
            while (application.Next(await PlanAsync([planned.Wanted], false, cancellationToken).ConfigureAwait(false)) is { } command)
            {
                application.Answer(await RunAsync(planned.Wanted.Address.Database, planned.Namespace, command, cancellationToken).ConfigureAwait(false));
            }
        }

        return await PlanAsync([.. plan.Collections.Select(planned => planned.Wanted)], false, cancellationToken).ConfigureAwait(false);
    }

    private byte[] Run(string database, string ns, byte[] command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return _runner.RunCommand(database, command, cancellationToken);
        }
        catch (Exception e) when (ServerReply.IsTransportFault(e, cancellationToken))
        {
            throw EnforcementReplies.NoAnswer(ns, e);
        }
    }

    private async ValueTask<byte[]> RunAsync(string database, string ns, byte[] command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _runner.RunCommandAsync(database, command, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ServerReply.IsTransportFault(e, cancellationToken))
        {
            throw EnforcementReplies.NoAnswer(ns, e);
        }
    }

    private sealed record Question(string Database, IReadOnlyList<string> Names)
    {
        public string Namespace => $"{Database}.{Names[0]}";

        public byte[] Command => new CollectionInfos(Database, Names).ToCommand();
    }

    /// <summary>One look at the server: what is asked, and what comes of the answers.</summary>
    private sealed class Look
    {
        private readonly IReadOnlyCollection<WantedValidator> _wanted;
        private readonly Dictionary<string, CollectionEnforcement> _found = new(StringComparer.Ordinal);

        public Look(IReadOnlyCollection<WantedValidator> wanted)
        {
            ArgumentNullException.ThrowIfNull(wanted);
            if (wanted.GroupBy(each => each.Namespace, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any()) is { } twice)
            {
                throw new ArgumentException($"'{twice.Key}' stands twice.", nameof(wanted));
            }

            _wanted = wanted;
            Questions = [.. wanted
                .GroupBy(each => each.Address.Database, each => each.Address.Collection, StringComparer.Ordinal)
                .SelectMany(database => database.Chunk(CollectionsPerQuestion), (database, names) => new Question(database.Key, names))];
        }

        public IReadOnlyList<Question> Questions { get; }

        public void Answer(Question question, byte[] reply)
        {
            var states = EnforcementReplies.ReadCollections(reply, question.Database, question.Names);
            foreach (var wanted in _wanted.Where(each => each.Address.Database == question.Database && question.Names.Contains(each.Address.Collection, StringComparer.Ordinal)))
            {
                _found[wanted.Namespace] = CollectionEnforcement.Of(wanted, states.GetValueOrDefault(wanted.Address.Collection, CollectionState.Missing));
            }
        }

        public IReadOnlyList<CollectionEnforcement> ToCount()
            => [.. _found.Values.Where(found => found.State.Exists && found.Status != EnforcementStatus.Conflict)];

        public void Answer(CollectionEnforcement counted, byte[] reply)
            => _found[counted.Namespace] = counted.WithRejectedDocuments(EnforcementReplies.ReadCount(reply, counted.Namespace));

        public EnforcementPlan ToPlan() => new([.. _wanted.Select(wanted => _found[wanted.Namespace])]);
    }

    /// <summary>Brings one collection about: look, change, look again, until it stays.</summary>
    private sealed class Application(CollectionEnforcement planned)
    {
        private int _attempts;

        /// <summary>The next command; null where everything is enforced.</summary>
        public byte[]? Next(EnforcementPlan look)
        {
            var now = look.Collections[0];
            if (now.Status == EnforcementStatus.Enforced) return null;
            look.ThrowIfConflicting();
            if (!now.IsCoveredBy(planned))
            {
                throw new EnforcementException(CsfleErrorCode.PlanOutdated,
                    $"the validator of '{now.Namespace}' has changed since the plan was made, and applying would now change or remove what the plan did not show",
                    "Plan again, and look at the difference.", now.Namespace);
            }

            if (_attempts++ == MaxAttempts) look.ThrowIfNotEnforced();
            return now.ToCommand();
        }

        public void Answer(byte[] reply) => EnforcementReplies.CheckApplied(reply, planned.Namespace);
    }
}
