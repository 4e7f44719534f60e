// The compiler's command line over Microsoft.CodeAnalysis.CSharp: takes csc's options and prints csc's diagnostics.
// It is built once, by Mono's mcs, which knows C# 6; what it compiles may be C# 9.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

static class Csc
{
    static int Main(string[] args)
    {
        // csc takes this option away itself before it parses; there is no csc.rsp here anyway.
        var rest = args.Where(a => a != "-noconfig" && a != "/noconfig");
        var given = CSharpCommandLineParser.Default.Parse(rest, Directory.GetCurrentDirectory(), null, null);
        IEnumerable<Diagnostic> found = given.Errors;
        if (found.All(d => d.Severity < DiagnosticSeverity.Error))
        {
            found = found.Concat(Compile(given));
        }
        var shown = found.Where(d => d.Severity >= DiagnosticSeverity.Warning && !d.IsSuppressed).ToList();
        foreach (var diagnostic in shown)
        {
            Console.WriteLine(CSharpDiagnosticFormatter.Instance.Format(diagnostic));
        }
        return shown.Any(d => d.Severity == DiagnosticSeverity.Error) ? 1 : 0;
    }

    static IEnumerable<Diagnostic> Compile(CSharpCommandLineArguments given)
    {
        var trees = given.SourceFiles.Select(file =>
            CSharpSyntaxTree.ParseText(File.ReadAllText(file.Path), given.ParseOptions, file.Path));
        var references = given.MetadataReferences.Select(reference =>
            (MetadataReference)MetadataReference.CreateFromFile(reference.Reference));
        var compilation = CSharpCompilation.Create(
            Path.GetFileNameWithoutExtension(given.OutputFileName), trees, references, given.CompilationOptions);
        using (var assembly = new MemoryStream())
        {
            var result = compilation.Emit(assembly);
            if (result.Success)
            {
                File.WriteAllBytes(Path.Combine(given.OutputDirectory, given.OutputFileName), assembly.ToArray());
            }
            return result.Diagnostics;
        }
    }
}
