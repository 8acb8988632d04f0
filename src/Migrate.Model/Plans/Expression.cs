namespace Migrate.Model.Plans;

/// <summary>A configuration in the terms of another VMM.</summary>
/// <param name="Text">What that VMM reads.</param>
/// <param name="NotExpressed">What it has no words for, a sentence each; empty where nothing is lost.</param>
public sealed record Expression(string Text, EquatableArray<string> NotExpressed);
