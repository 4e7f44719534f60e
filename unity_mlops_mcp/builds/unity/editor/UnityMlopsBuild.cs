// Builds a player for training, in batch mode. Put into a copy of the project by unity-mlops; not meant to be kept.
// It says how it went in lines that begin with [UNITY-MLOPS], because the Editor's exit code 0 does not mean a build.
using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;

namespace UnityMlops
{
    public static class Builder
    {
        const int Built = 0;
        const int NoModule = 12;
        const int BuildFailed = 101;
        const int BuildCancelled = 102;
        const int BuildUnknown = 103;
        const int NoScene = 104;
        const int OurException = 105;

        public static void Run()
        {
            int code;
            try
            {
                code = Build();
            }
            catch (Exception exception)
            {
                // A scene maker is called by reflection; what it threw is inside.
                Exception inner = exception is TargetInvocationException && exception.InnerException != null
                    ? exception.InnerException
                    : exception;
                Say("error=" + inner.GetType().FullName + ": " + inner.Message.Replace("\n", " "));
                Debug.LogException(inner);
                code = OurException;
            }

            EditorApplication.Exit(code);
        }

        static int Build()
        {
            string output = Argument("-mlopsOutput");
            BuildTarget target = Target(Argument("-mlopsTarget"));
            if (!BuildPipeline.IsBuildTargetSupported(BuildTargetGroup.Standalone, target))
            {
                Say("problem=module " + target);
                return NoModule;
            }

            List<string> scenes = Scenes();
            foreach (string scene in scenes)
            {
                if (!File.Exists(scene))
                {
                    Say("problem=scene there is no file " + scene);
                    return NoScene;
                }
            }

            if (scenes.Count == 0)
            {
                Say("problem=scene none was named");
                return NoScene;
            }

            Settings();
            Say("stage=build");
            BuildPlayerOptions options = new BuildPlayerOptions
            {
                scenes = scenes.ToArray(),
                locationPathName = output,
                target = target,
                targetGroup = BuildTargetGroup.Standalone,
                options = BuildOptions.None,
            };
            return Report(BuildPipeline.BuildPlayer(options), output);
        }

        static List<string> Scenes()
        {
            List<string> scenes = new List<string>();
            string maker = Argument("-mlopsSceneClass");
            if (maker.Length > 0)
            {
                Say("stage=scene");
                scenes.Add(Make(maker, int.Parse(Argument("-mlopsAreas"))));
            }

            string named = Argument("-mlopsScenes");
            foreach (string scene in named.Split(new[] { ';' }, StringSplitOptions.RemoveEmptyEntries))
            {
                scenes.Add(scene);
            }

            return scenes;
        }

        static string Make(string maker, int areas)
        {
            foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
            {
                Type type = assembly.GetType(maker);
                MethodInfo create = type == null ? null : type.GetMethod("Create", new[] { typeof(int) });
                if (create != null)
                {
                    return (string)create.Invoke(null, new object[] { areas });
                }
            }

            throw new InvalidOperationException("There is no class " + maker + " with a method Create(int).");
        }

        static void Settings()
        {
            PlayerSettings.runInBackground = true;
            PlayerSettings.fullScreenMode = FullScreenMode.Windowed;
            EditorUserBuildSettings.development = false;
#if !UNITY_2019_3_OR_NEWER
            PlayerSettings.displayResolutionDialog = ResolutionDialogSetting.Disabled;
#endif
            // Mono: ML-Agents' gRPC does not work under IL2CPP.
#if UNITY_2021_2_OR_NEWER
            EditorUserBuildSettings.standaloneBuildSubtarget = StandaloneBuildSubtarget.Player;
            PlayerSettings.SetScriptingBackend(NamedBuildTarget.Standalone, ScriptingImplementation.Mono2x);
            PlayerSettings.SetManagedStrippingLevel(NamedBuildTarget.Standalone, ManagedStrippingLevel.Minimal);
#else
            PlayerSettings.SetScriptingBackend(BuildTargetGroup.Standalone, ScriptingImplementation.Mono2x);
            PlayerSettings.SetManagedStrippingLevel(BuildTargetGroup.Standalone, ManagedStrippingLevel.Disabled);
#endif
        }

        static int Report(BuildReport report, string output)
        {
            foreach (BuildStep step in report.steps)
            {
                foreach (BuildStepMessage message in step.messages)
                {
                    if (message.type != LogType.Log && message.type != LogType.Warning)
                    {
                        Say("error=" + message.content.Replace("\n", " "));
                    }
                }
            }

            BuildSummary summary = report.summary;
            Say("result=" + summary.result + " errors=" + summary.totalErrors + " warnings=" + summary.totalWarnings
                + " size=" + summary.totalSize + " nonce=" + Argument("-mlopsNonce") + " path=" + output);
            switch (summary.result)
            {
                case BuildResult.Succeeded: return Built;
                case BuildResult.Failed: return BuildFailed;
                case BuildResult.Cancelled: return BuildCancelled;
                default: return BuildUnknown;
            }
        }

        static BuildTarget Target(string name)
        {
            switch (name)
            {
                case "linux64": return BuildTarget.StandaloneLinux64;
                case "win64": return BuildTarget.StandaloneWindows64;
                case "osx": return BuildTarget.StandaloneOSX;
                default: throw new ArgumentException("-mlopsTarget " + name + " is unknown.");
            }
        }

        static string Argument(string name)
        {
            string[] words = Environment.GetCommandLineArgs();
            for (int place = 0; place + 1 < words.Length; place++)
            {
                if (words[place] == name)
                {
                    return words[place + 1];
                }
            }

            return "";
        }

        static void Say(string line)
        {
            Debug.Log("[UNITY-MLOPS] " + line);
        }
    }
}
