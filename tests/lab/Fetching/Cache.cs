namespace Migrate.Lab.Fetching;

/// <summary>The directory outside the tree that keeps what was fetched. One run at a time fetches.</summary>
internal sealed class Cache
{
    private readonly string _root;

    public Cache(string root)
    {
        _root = Path.GetFullPath(root);
        Directory.CreateDirectory(_root);
    }

    public string At(params ReadOnlySpan<string> parts) => Path.Combine([_root, .. parts]);

    /// <summary>Waits until no other run fetches; dispose to let the next one.</summary>
    public IDisposable Lock()
    {
        var said = false;
        while (true)
        {
            try
            {
                return new FileStream(At("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                if (!said)
                    Console.Error.WriteLine($"lab: waiting for another run that fetches into {_root}");
                said = true;
                Thread.Sleep(TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>The directory of this name; when it is missing, filled by the action under another name first, so that it is whole or absent.</summary>
    public string Once(string name, Action<string> fill)
    {
        var final = At(name);
        if (Directory.Exists(final))
            return final;
        var partial = final + ".partial";
        if (Directory.Exists(partial))
            Directory.Delete(partial, recursive: true);
        Directory.CreateDirectory(partial);
        fill(partial);
        Directory.Move(partial, final);
        return final;
    }
}
