// UnityEditor, as far as scene makers and build scripts go.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using UnityEditor.Build.Reporting;
using UnityEngine;
using UnityEngine.SceneManagement;
using Object = UnityEngine.Object;

namespace UnityEditor
{
    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
    public sealed class MenuItem : Attribute
    {
        public MenuItem(string itemName) { }
        public MenuItem(string itemName, bool isValidateFunction) { }
        public MenuItem(string itemName, bool isValidateFunction, int priority) { }
    }

    [AttributeUsage(AttributeTargets.Class)] public class InitializeOnLoadAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Method)] public class InitializeOnLoadMethodAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Class)] public sealed class CustomEditor : Attribute { public CustomEditor(Type inspectedType) { } }
    [AttributeUsage(AttributeTargets.Class)] public sealed class CanEditMultipleObjects : Attribute { }

    public class EditorWindow : ScriptableObject { }

    public class Editor : ScriptableObject
    {
        public Object target { get; internal set; }
        public SerializedObject serializedObject => new SerializedObject(target);
        public virtual void OnInspectorGUI() { }
        public bool DrawDefaultInspector() => false;
    }

    public class AssetPostprocessor { }

    public static class EditorApplication
    {
        internal static int? ExitCode { get; private set; }
        public static bool isPlaying { get; set; }
        public static bool isCompiling => false;
        public static string applicationContentsPath => "";
        public static event Action update { add { } remove { } }
        public static void Exit(int returnValue) { ExitCode = returnValue; }
    }

    public static class EditorUtility
    {
        public static void SetDirty(Object target) { }
        public static bool DisplayDialog(string title, string message, string ok) => true;
        public static void DisplayProgressBar(string title, string info, float progress) { }
        public static void ClearProgressBar() { }
    }

    public enum ImportAssetOptions { Default = 0, ForceUpdate = 1, ForceSynchronousImport = 8 }

    public class AssetDatabase
    {
        static readonly Dictionary<string, Object> s_Assets = new Dictionary<string, Object>();

        public static Object[] LoadAllAssetsAtPath(string assetPath) =>
            assetPath == "ProjectSettings/TagManager.asset" ? new Object[] { TagsAndLayers.Asset } : s_Assets.Where(one => one.Key == assetPath).Select(one => one.Value).ToArray();
        public static T LoadAssetAtPath<T>(string assetPath) where T : Object => LoadAllAssetsAtPath(assetPath).OfType<T>().FirstOrDefault();
        public static Object LoadMainAssetAtPath(string assetPath) => LoadAllAssetsAtPath(assetPath).FirstOrDefault();
        public static void CreateAsset(Object asset, string path) { s_Assets[path] = asset; }
        public static bool IsValidFolder(string path) => true;
        public static string CreateFolder(string parentFolder, string newFolderName) => "";
        public static string[] FindAssets(string filter) => new string[0];
        public static string GUIDToAssetPath(string guid) => "";
        public static string GetAssetPath(Object assetObject) => "";
        public static void ImportAsset(string path) { }
        public static void ImportAsset(string path, ImportAssetOptions options) { }
        public static bool DeleteAsset(string path) => s_Assets.Remove(path);
        public static void SaveAssets() { }
        public static void Refresh() { }
    }

    /// Reads and writes fields by their names.
    public class SerializedObject : IDisposable
    {
        public SerializedObject(Object obj) { targetObject = obj; }
        public Object targetObject { get; }
        public SerializedProperty FindProperty(string propertyPath)
        {
            const BindingFlags any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
            var field = targetObject.GetType().GetField(propertyPath, any);
            return field == null ? null : new SerializedProperty(() => field.GetValue(targetObject), value => field.SetValue(targetObject, value));
        }
        public void Update() { }
        public bool ApplyModifiedProperties() => true;
        public bool ApplyModifiedPropertiesWithoutUndo() => true;
        public void Dispose() { }
    }

    public class SerializedProperty
    {
        readonly Func<object> m_Get;
        readonly Action<object> m_Set;
        internal SerializedProperty(Func<object> get, Action<object> set)
        {
            m_Get = get;
            m_Set = set;
        }

        IList Items => (IList)m_Get();
        public int arraySize { get { return Items.Count; } set { while (Items.Count < value) InsertArrayElementAtIndex(Items.Count); } }
        public string stringValue { get { return (string)m_Get(); } set { m_Set(value); } }
        public int intValue { get { return (int)m_Get(); } set { m_Set(value); } }
        public float floatValue { get { return (float)m_Get(); } set { m_Set(value); } }
        public bool boolValue { get { return (bool)m_Get(); } set { m_Set(value); } }
        public Object objectReferenceValue { get { return (Object)m_Get(); } set { m_Set(value); } }
        public SerializedProperty GetArrayElementAtIndex(int index) => new SerializedProperty(() => Items[index], value => Items[index] = value);
        public void InsertArrayElementAtIndex(int index) { Items.Insert(index, Items.Count > 0 ? Items[Items.Count - 1] : ""); }
        public void DeleteArrayElementAtIndex(int index) { Items.RemoveAt(index); }
    }

    public class EditorBuildSettingsScene
    {
        public EditorBuildSettingsScene(string path, bool enabled) { this.path = path; this.enabled = enabled; }
        public string path { get; set; }
        public bool enabled { get; set; }
    }

    public static class EditorBuildSettings
    {
        public static EditorBuildSettingsScene[] scenes { get; set; } = new EditorBuildSettingsScene[0];
    }

    public enum BuildTarget { StandaloneOSX = 2, StandaloneWindows = 5, StandaloneWindows64 = 19, WebGL = 20, StandaloneLinux64 = 24 }
    public enum BuildTargetGroup { Unknown = 0, Standalone = 1, WebGL = 13 }
    [Flags] public enum BuildOptions { None = 0, Development = 1, StrictMode = 2097152, CleanBuildCache = 128 }
    public enum ScriptingImplementation { Mono2x = 0, IL2CPP = 1 }
    public enum ManagedStrippingLevel { Disabled = 0, Low = 1, Medium = 2, High = 3, Minimal = 4 }
    public enum StandaloneBuildSubtarget { Player = 2, Server = 1 }
    public enum ResolutionDialogSetting { Disabled = 0, Enabled = 1, HiddenByDefault = 2 }

    public struct BuildPlayerOptions
    {
        public string[] scenes { get; set; }
        public string locationPathName { get; set; }
        public BuildTargetGroup targetGroup { get; set; }
        public BuildTarget target { get; set; }
        public int subtarget { get; set; }
        public BuildOptions options { get; set; }
        public string[] extraScriptingDefines { get; set; }
    }

    public class BuildPipeline
    {
        public static bool IsBuildTargetSupported(BuildTargetGroup buildTargetGroup, BuildTarget target) => true;
        public static BuildReport BuildPlayer(BuildPlayerOptions buildPlayerOptions) => new BuildReport();
        public static BuildReport BuildPlayer(string[] levels, string locationPathName, BuildTarget target, BuildOptions options) => new BuildReport();
    }

    public static class EditorUserBuildSettings
    {
        public static BuildTarget activeBuildTarget => BuildTarget.StandaloneLinux64;
        public static bool development { get; set; }
        public static StandaloneBuildSubtarget standaloneBuildSubtarget { get; set; }
        public static bool SwitchActiveBuildTarget(BuildTargetGroup targetGroup, BuildTarget target) => true;
    }

    public class PlayerSettings
    {
        public static bool runInBackground { get; set; }
        public static string productName { get; set; } = "";
        public static string companyName { get; set; } = "";
        public static FullScreenMode fullScreenMode { get; set; }
        public static int defaultScreenWidth { get; set; }
        public static int defaultScreenHeight { get; set; }
        public static bool resizableWindow { get; set; }
        public static bool visibleInBackground { get; set; }
#if !UNITY_2019_3_OR_NEWER
        public static ResolutionDialogSetting displayResolutionDialog { get; set; }
#endif
        public static void SetScriptingBackend(BuildTargetGroup targetGroup, ScriptingImplementation backend) { }
        public static void SetManagedStrippingLevel(BuildTargetGroup targetGroup, ManagedStrippingLevel level) { }
#if UNITY_2021_2_OR_NEWER
        public static void SetScriptingBackend(Build.NamedBuildTarget buildTarget, ScriptingImplementation backend) { }
        public static void SetManagedStrippingLevel(Build.NamedBuildTarget buildTarget, ManagedStrippingLevel level) { }
#endif
    }
}

namespace UnityEditor.Build
{
    public struct NamedBuildTarget
    {
        public static readonly NamedBuildTarget Standalone = new NamedBuildTarget { TargetName = "Standalone" };
        public static readonly NamedBuildTarget Server = new NamedBuildTarget { TargetName = "Server" };
        public string TargetName { get; private set; }
    }

    public class BuildFailedException : Exception
    {
        public BuildFailedException(string message) : base(message) { }
    }
}

namespace UnityEditor.Build.Reporting
{
    public enum BuildResult { Unknown = 0, Succeeded = 1, Failed = 2, Cancelled = 3 }

    public struct BuildStepMessage
    {
        public LogType type { get; internal set; }
        public string content { get; internal set; }
    }

    public struct BuildStep
    {
        public string name { get; internal set; }
        public TimeSpan duration { get; internal set; }
        public BuildStepMessage[] messages { get; internal set; }
    }

    public struct BuildSummary
    {
        public BuildResult result { get; internal set; }
        public int totalErrors { get; internal set; }
        public int totalWarnings { get; internal set; }
        public ulong totalSize { get; internal set; }
        public TimeSpan totalTime { get; internal set; }
        public string outputPath { get; internal set; }
    }

    public sealed class BuildReport : Object
    {
        public BuildSummary summary { get; } = new BuildSummary();
        public BuildStep[] steps { get; } = new BuildStep[0];
    }
}

namespace UnityEditor.SceneManagement
{
    public enum NewSceneSetup { EmptyScene = 0, DefaultGameObjects = 1 }
    public enum NewSceneMode { Single = 0, Additive = 1 }
    public enum OpenSceneMode { Single = 0, Additive = 1 }

    public class EditorSceneManager : SceneManager
    {
        public static Scene NewScene(NewSceneSetup setup) => NewScene(setup, NewSceneMode.Single);
        public static Scene NewScene(NewSceneSetup setup, NewSceneMode mode)
        {
            World.Clear();
            if (setup == NewSceneSetup.DefaultGameObjects)
            {
                new GameObject("Main Camera", typeof(Camera), typeof(AudioListener)) { tag = "MainCamera" };
                new GameObject("Directional Light", typeof(Light));
            }
            return new Scene("");
        }

        public static bool SaveScene(Scene scene) => true;
        public static bool SaveScene(Scene scene, string dstScenePath)
        {
            ActivePath = dstScenePath;
            return true;
        }
        public static Scene OpenScene(string scenePath) => new Scene(scenePath);
        public static Scene OpenScene(string scenePath, OpenSceneMode mode) => new Scene(scenePath);
        public static bool MarkSceneDirty(Scene scene) => true;
        public static bool SaveOpenScenes() => true;
    }
}
