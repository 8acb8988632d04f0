using System.Globalization;
using System.Net;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Migrate.Model;
using Migrate.Model.Plans;
using Migrate.Preflight.Explain;

namespace Migrate.Cli.Output.Matrix;

/// <summary>A matrix as one HTML file that needs neither network nor server.</summary>
/// <remarks>
/// Names and findings come from files that others wrote: in markup each is escaped, in the embedded data by JSON with all of HTML's characters escaped, and the
/// page's own script sets them as text. Should one slip through all the same, the page's content policy runs no other script and loads nothing.
/// </remarks>
internal static class MatrixHtml
{
    /// <summary>Reasons that are seen at once; the others are folded.</summary>
    private const int ReasonsShown = 25;

    private static readonly (string Only, string Sign, string Word)[] Answers = [("y", "✓", "yes"), ("u", "?", "unproven"), ("n", "✕", "no")];

    public static string Of(MatrixReport report, string version)
    {
        var view = new MatrixView(report);
        var (style, script) = (Resource("page.css"), Resource("page.js"));
        return Fill(Resource("page.html"), new Dictionary<string, string>
        {
            ["policy"] = $"default-src 'none'; style-src '{Hash(style)}'; script-src '{Hash(script)}'; base-uri 'none'; form-action 'none'",
            ["style"] = style,
            ["script"] = script,
            ["title"] = Escape($"{report.Hosts.Count} hosts: where VMs can move"),
            ["headline"] = Escape(Headline(view)),
            ["subtitle"] = Escape(Subtitle(view)),
            ["bar"] = Share((report.Yes, report.Unproven, report.No), "share"),
            ["legend"] = Legend(report),
            ["grid"] = Grid(view),
            ["obstacles"] = Obstacles(view),
            ["reasons"] = Reasons(view),
            ["hosts"] = Hosts(view),
            ["footer"] = Escape($"Made by {version}. Nothing on this page was loaded from elsewhere. For one pair with every finding: vmmigrate check SRC DST."),
            ["data"] = Data(view),
        });
    }

    private static string Headline(MatrixView view) => view.Report.Verdict switch
    {
        Verdict.Yes => $"Every VM can move everywhere: {view.Report.Hosts.Count} hosts, {view.Total} ordered pairs",
        Verdict.Unproven => $"Nothing speaks against any move, but {view.Report.Unproven} of {view.Total} ordered pairs are unproven",
        _ => $"{view.Report.Yes + view.Report.Unproven} of {view.Total} moves are possible, {view.Report.No} are not",
    };

    private static string Subtitle(MatrixView view)
    {
        var alike = view.Groups.Count < view.Report.Hosts.Count ? $" ({view.Groups.Count} different)" : "";
        var vm = view.Report.Features.Length > 0 ? $"VMs with {view.Report.Features}" : "the VM that each host creates by default";
        return $"{view.Report.Hosts.Count} hosts{alike}; {vm}; policy {KebabCase.Of(view.Report.Policy.ToString())}";
    }

    private static string Legend(MatrixReport report)
    {
        int[] counts = [report.Yes, report.Unproven, report.No];
        return string.Concat(Answers.Select((answer, i) =>
            $"<button type=\"button\" class=\"chip\" data-only=\"{answer.Only}\" aria-pressed=\"false\"><i class=\"{answer.Only}\">{answer.Sign}</i>{answer.Word} <b>{counts[i]}</b></button>"));
    }

    private static string Grid(MatrixView view)
    {
        var hosts = view.Report.Hosts;
        var size = hosts.Count switch { <= 9 => 1, <= 18 => 2, <= 36 => 3, <= 60 => 4, _ => 5 };
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<table class=\"grid c{size}\" role=\"grid\" aria-label=\"Verdict of every ordered pair of hosts, from row to column\"><thead><tr><th scope=\"col\">from ╲ to</th>");
        foreach (var host in hosts) html.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\"><span title=\"{Escape(host.Name)}\"><bdi>{Escape(host.Name)}</bdi></span></th>");
        html.Append("</tr></thead><tbody>\n");
        for (var from = 0; from < hosts.Count; from++)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\"><span title=\"{Escape(hosts[from].Name)}\"><bdi>{Escape(hosts[from].Name)}</bdi></span></th>");
            for (var to = 0; to < hosts.Count; to++)
                html.Append(from == to ? "<td class=\"s\" role=\"gridcell\" tabindex=\"-1\">·</td>" : Cell(view, view.Pair(view.GroupOf[from], view.GroupOf[to])!, size));
            html.Append("</tr>\n");
        }
        return html.Append("</tbody></table>").ToString();
    }

    private static string Cell(MatrixView view, MatrixPair pair, int size)
    {
        var (css, sign) = pair.Verdict switch
        {
            Verdict.Yes => ("y", "✓"),
            Verdict.Unproven => ("u", "?"),
            _ => (pair.Stops switch { <= 1 => "n1", <= 4 => "n2", _ => "n3" }, "✕"),
        };
        var code = size == 1 && pair.Verdict == Verdict.No && pair.Reasons.Count > 0 ? $"<small>{Short(view.Report.Reasons[pair.Reasons[0]])}</small>" : "";
        return $"<td class=\"{css}\" role=\"gridcell\" tabindex=\"-1\">{sign}{code}</td>";
    }

    /// <summary>A reason in a cell: the register where there is one, else the code.</summary>
    private static string Short(Finding reason) => Breakable(reason.Register is null ? Code(reason) : reason.Subject);

    /// <summary>Long names may break after an underscore or dot.</summary>
    private static string Breakable(string name) => Escape(name).Replace("_", "_<wbr>", StringComparison.Ordinal).Replace(".", ".<wbr>", StringComparison.Ordinal);

    /// <summary>Main reasons by code, the commonest first: what a fleet suffers from.</summary>
    private static string Obstacles(MatrixView view)
    {
        var codes = Enumerable.Range(0, view.Report.Reasons.Count).GroupBy(r => Code(view.Report.Reasons[r]))
            .Select(g => (Code: g.Key, Pairs: g.Sum(view.AsMain), Meaning: Explainer.Of(view.Report.Reasons[g.First()].Code).Findings[0].Meaning))
            .Where(c => c.Pairs > 0).OrderByDescending(c => c.Pairs).ToList();
        if (codes.Count == 0) return "";
        var html = new StringBuilder("<aside aria-labelledby=\"main-title\"><h2 id=\"main-title\">What stands in the way</h2><ul>");
        foreach (var (code, pairs, meaning) in codes)
        {
            var width = 1000.0 * pairs / codes[0].Pairs;
            html.Append(CultureInfo.InvariantCulture, $"<li><button type=\"button\" data-code=\"{Escape(code)}\" aria-pressed=\"false\"><span class=\"row\"><b>{Escape(code)}</b><span>{pairs} {(pairs == 1 ? "pair" : "pairs")}</span></span>")
                .Append(CultureInfo.InvariantCulture, $"<svg class=\"share\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"{(code == Code(FindingCode.Unproven) ? "u" : "n")}\" width=\"{width:F1}\" height=\"10\"/></svg><span class=\"soft\">{Escape(meaning)}</span></button></li>\n");
        }
        return html.Append("</ul></aside>").ToString();
    }

    private static string Reasons(MatrixView view)
    {
        var order = Enumerable.Range(0, view.Report.Reasons.Count).Where(r => view.AsAny(r) > 0).OrderByDescending(view.AsMain).ThenByDescending(view.AsAny).ToList();
        if (order.Count == 0) return "";
        var html = new StringBuilder("<section aria-labelledby=\"reasons-title\"><h2 id=\"reasons-title\">Reasons</h2>");
        Table(html, view, order.Take(ReasonsShown));
        if (order.Count > ReasonsShown)
        {
            html.Append(CultureInfo.InvariantCulture, $"<details><summary>{order.Count - ReasonsShown} more</summary>");
            Table(html, view, order.Skip(ReasonsShown));
            html.Append("</details>");
        }
        return html.Append("</section>").Append(Codes(view)).ToString();
    }

    /// <summary>Each kind of reason explained once.</summary>
    private static string Codes(MatrixView view)
    {
        var html = new StringBuilder("<section aria-labelledby=\"codes-title\"><h2 id=\"codes-title\">What the findings mean, and what to do</h2>");
        foreach (var code in view.Report.Reasons.Select(r => r.Code).Distinct())
        {
            var text = Explainer.Of(code).Findings[0];
            html.Append(CultureInfo.InvariantCulture, $"<details><summary><b>{Escape(Code(code))}</b> <span class=\"soft\">{Escape(text.Meaning)}</span></summary><dl><dt>For the guest</dt><dd>{Escape(text.Guest)}</dd><dt>What to do</dt><dd>{Escape(text.Remedy)}</dd>");
            if (text.Qemu.Length > 0) html.Append(CultureInfo.InvariantCulture, $"<dt>QEMU</dt><dd>{Escape(text.Qemu)}</dd>");
            if (text.Firecracker.Length > 0) html.Append(CultureInfo.InvariantCulture, $"<dt>Firecracker</dt><dd>{Escape(text.Firecracker)}</dd>");
            html.Append(CultureInfo.InvariantCulture, $"<dt>{(text.Accept.Length > 0 ? $"--accept {Escape(text.Accept)}" : "Accepting")}</dt><dd>{Escape(text.Accepting)}</dd></dl></details>\n");
        }
        return html.Append("</section>").ToString();
    }

    private static void Table(StringBuilder html, MatrixView view, IEnumerable<int> reasons)
    {
        html.Append("<div class=\"wrap\"><table class=\"list\"><thead><tr><th>Concerns</th><th>Main for</th><th>Finding</th><th>Subject</th><th>Here</th><th>There</th><th>What to do</th></tr></thead><tbody>");
        foreach (var number in reasons)
        {
            var reason = view.Report.Reasons[number];
            html.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"num\"><button type=\"button\" class=\"pairs\" data-reason=\"{number}\" aria-pressed=\"false\" title=\"show these pairs\">{view.AsAny(number)}</button></td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"num\">{view.AsMain(number)}</td><td class=\"nw\"><b>{Escape(Code(reason))}</b><br><span class=\"soft\">{KebabCase.Of(reason.Severity.ToString())}, {KebabCase.Of(reason.Evidence.ToString())}</span></td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"mono\"><bdi>{Breakable(reason.Subject)}</bdi></td><td><bdi>{Escape(reason.Here)}</bdi></td><td><bdi>{Escape(reason.There)}</bdi>{(reason.Answer.Length > 0 ? $" <span class=\"soft\">{Escape(reason.Answer)}</span>" : "")}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td><bdi>{Escape(reason.Remedy)}</bdi></td></tr>\n");
        }
        html.Append("</tbody></table></div>");
    }

    private static string Hosts(MatrixView view)
    {
        var html = new StringBuilder("<div class=\"wrap\"><table class=\"list\"><thead><tr><th>Host</th><th>What it is</th><th>Answers</th><th>Its VM</th><th>VMs can leave to</th><th>VMs can come from</th></tr></thead><tbody>\n");
        for (var i = 0; i < view.Report.Hosts.Count; i++)
        {
            var host = view.Report.Hosts[i];
            var about = host.SameAs.Length > 0 ? $"{host.Description}, like {host.SameAs}" : host.Description;
            html.Append(CultureInfo.InvariantCulture, $"<tr><td><b><bdi>{Escape(host.Name)}</bdi></b></td><td><bdi>{Escape(about)}</bdi></td><td>{KebabCase.Of(host.Evidence.ToString())}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"soft\">{Escape(host.Features.Length > 0 ? host.Features.Replace(",", ", ", StringComparison.Ordinal) : "creates none")}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"nw\">{Reach(view.Reach(view.GroupOf[i], outward: true))}</td><td class=\"nw\">{Reach(view.Reach(view.GroupOf[i], outward: false))}</td></tr>\n");
        }
        return html.Append("</tbody></table></div>").ToString();
    }

    private static string Reach((int Yes, int Unproven, int No) reach) => string.Create(CultureInfo.InvariantCulture,
        $"{Share(reach, "share small")} <span class=\"soft\">{reach.Yes} yes, {reach.Unproven} ?, {reach.No} no</span>");

    /// <summary>A bar in three parts; drawn, because the content policy allows no style on an element.</summary>
    private static string Share((int Yes, int Unproven, int No) counts, string css)
    {
        var total = Math.Max(1, counts.Yes + counts.Unproven + counts.No);
        var (yes, unproven) = (1000.0 * counts.Yes / total, 1000.0 * counts.Unproven / total);
        return string.Create(CultureInfo.InvariantCulture,
            $"<svg class=\"{css}\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{counts.Yes} yes, {counts.Unproven} unproven, {counts.No} no\"><rect class=\"y\" width=\"{yes:F1}\" height=\"10\"/><rect class=\"u\" x=\"{yes:F1}\" width=\"{unproven:F1}\" height=\"10\"/><rect class=\"n\" x=\"{yes + unproven:F1}\" width=\"{1000 - yes - unproven:F1}\" height=\"10\"/></svg>");
    }

    private static string Data(MatrixView view)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("groups", view.Groups.Count);
            json.WriteStartArray("hosts");
            for (var i = 0; i < view.Report.Hosts.Count; i++)
            {
                var host = view.Report.Hosts[i];
                json.WriteStartObject();
                json.WriteString("name", host.Name);
                json.WriteString("about", host.Description);
                json.WriteString("evidence", KebabCase.Of(host.Evidence.ToString()));
                json.WriteString("features", host.Features);
                json.WriteNumber("group", view.GroupOf[i]);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("reasons");
            foreach (var reason in view.Report.Reasons) WriteReason(json, reason);
            json.WriteEndArray();
            json.WriteStartArray("pairs");
            for (var from = 0; from < view.Groups.Count; from++)
                for (var to = 0; to < view.Groups.Count; to++) WritePair(json, view.Pair(from, to));
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void WriteReason(Utf8JsonWriter json, Finding reason)
    {
        json.WriteStartObject();
        json.WriteString("code", Code(reason));
        json.WriteString("subject", reason.Subject);
        json.WriteString("here", reason.Here);
        json.WriteString("there", reason.There);
        json.WriteString("answer", reason.Answer);
        json.WriteString("remedy", reason.Remedy);
        json.WriteEndObject();
    }

    private static void WritePair(Utf8JsonWriter json, MatrixPair? pair)
    {
        if (pair is null)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartObject();
        json.WriteString("verdict", pair.Verdict switch { Verdict.Yes => "y", Verdict.No => "n", _ => "u" });
        json.WriteString("evidence", KebabCase.Of(pair.Evidence.ToString()));
        json.WriteNumber("stops", pair.Stops);
        json.WriteStartArray("reasons");
        foreach (var reason in pair.Reasons) json.WriteNumberValue(reason);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Code(Finding finding) => Code(finding.Code);

    private static string Code(FindingCode code) => KebabCase.Of(code.ToString());

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Puts the parts in their places in one pass: what is put in is not looked at again.</summary>
    private static string Fill(string page, Dictionary<string, string> parts)
    {
        var html = new StringBuilder();
        for (var at = 0; ;)
        {
            var open = page.IndexOf("{{", at, StringComparison.Ordinal);
            if (open < 0) return html.Append(page, at, page.Length - at).ToString();
            var close = page.IndexOf("}}", open, StringComparison.Ordinal);
            html.Append(page, at, open - at).Append(parts[page[(open + 2)..close]]);
            at = close + 2;
        }
    }

    private static string Hash(string source) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(source)));

    private static string Resource(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("matrix/" + name)!);
        return reader.ReadToEnd();
    }
}
