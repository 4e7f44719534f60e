// UnityEngine's services: Debug, Time, Random, Input, Application, Gizmos and the like.
using System;
using System.Collections.Generic;
using System.Linq;

namespace UnityEngine
{
    public enum LogType { Error, Assert, Warning, Log, Exception }

    public interface ILogger
    {
        bool logEnabled { get; set; }
        void Log(object message);
    }

    public static class Debug
    {
        sealed class Logger : ILogger
        {
            public bool logEnabled { get; set; } = true;
            public void Log(object message) { Debug.Log(message); }
        }

        /// Lines such as "Warning: text", oldest first.
        internal static List<string> Lines { get; } = new List<string>();

        public static ILogger unityLogger { get; } = new Logger();
        public static bool isDebugBuild => true;

        public static void Log(object message) { Lines.Add("Log: " + message); }
        public static void Log(object message, Object context) { Log(message); }
        public static void LogFormat(string format, params object[] args) { Log(string.Format(format, args)); }
        public static void LogWarning(object message) { Lines.Add("Warning: " + message); }
        public static void LogWarning(object message, Object context) { LogWarning(message); }
        public static void LogWarningFormat(string format, params object[] args) { LogWarning(string.Format(format, args)); }
        public static void LogError(object message) { Lines.Add("Error: " + message); }
        public static void LogError(object message, Object context) { LogError(message); }
        public static void LogErrorFormat(string format, params object[] args) { LogError(string.Format(format, args)); }
        public static void LogException(Exception exception) { Lines.Add("Exception: " + exception); }
        public static void LogException(Exception exception, Object context) { LogException(exception); }
        public static void LogAssertion(object message) { Lines.Add("Assert: " + message); }
        public static void Assert(bool condition) { Assert(condition, "Assertion failed"); }
        public static void Assert(bool condition, string message) { if (!condition) LogAssertion(message); }
        public static void Assert(bool condition, object message) { Assert(condition, message.ToString()); }
        public static void Assert(bool condition, Object context) { Assert(condition); }
        public static void AssertFormat(bool condition, string format, params object[] args) { Assert(condition, string.Format(format, args)); }
        public static void DrawLine(Vector3 start, Vector3 end) { }
        public static void DrawLine(Vector3 start, Vector3 end, Color color) { }
        public static void DrawLine(Vector3 start, Vector3 end, Color color, float duration) { }
        public static void DrawRay(Vector3 start, Vector3 dir) { }
        public static void DrawRay(Vector3 start, Vector3 dir, Color color) { }
        public static void DrawRay(Vector3 start, Vector3 dir, Color color, float duration) { }
        public static void DrawRay(Vector3 start, Vector3 dir, Color color, float duration, bool depthTest) { }
        public static void Break() { }
    }

    public static class Time
    {
        internal static void Begin()
        {
            fixedTime = 0f;
            frameCount = 0;
        }

        internal static void Advance()
        {
            fixedTime += fixedDeltaTime;
            frameCount++;
        }

        public static float fixedDeltaTime { get; set; } = 0.02f;
        public static float deltaTime => fixedDeltaTime;
        public static float unscaledDeltaTime => fixedDeltaTime / timeScale;
        public static float fixedUnscaledDeltaTime => fixedDeltaTime / timeScale;
        public static float smoothDeltaTime => fixedDeltaTime;
        public static float maximumDeltaTime { get; set; } = 1f / 3f;
        public static float timeScale { get; set; } = 1f;
        public static float fixedTime { get; private set; }
        public static float time => fixedTime;
        public static double timeAsDouble => fixedTime;
        public static float unscaledTime => fixedTime;
        public static float realtimeSinceStartup => fixedTime;
        public static float timeSinceLevelLoad => fixedTime;
        public static int frameCount { get; private set; }
        public static int captureFramerate { get; set; }
        public static bool inFixedTimeStep { get; internal set; }
    }

    /// Repeatable for a seed; the numbers are not Unity's own.
    public static class Random
    {
        [Serializable]
        public struct State
        {
            internal ulong Word;
        }

        static ulong s_Word = 1;

        public static State state { get { return new State { Word = s_Word }; } set { s_Word = value.Word; } }
        public static void InitState(int seed)
        {
            s_Word = (ulong)seed * 2862933555777941757UL + 3037000493UL;
            Next();
        }

        /// 32 bits of a permuted congruential generator.
        static uint Next()
        {
            s_Word = unchecked(s_Word * 6364136223846793005UL + 1442695040888963407UL);
            var mixed = (uint)((s_Word >> 18 ^ s_Word) >> 27);
            var turn = (int)(s_Word >> 59);
            return mixed >> turn | mixed << (-turn & 31);
        }

        public static float value => (Next() >> 8) / 16777215f;
        public static float Range(float minInclusive, float maxInclusive) => minInclusive + (maxInclusive - minInclusive) * value;
        public static int Range(int minInclusive, int maxExclusive) =>
            minInclusive == maxExclusive ? minInclusive : minInclusive + (int)(Next() % (uint)Mathf.Max(1, maxExclusive - minInclusive));

        public static Vector2 insideUnitCircle
        {
            get
            {
                float angle = Range(0f, 2f * Mathf.PI), length = Mathf.Sqrt(value);
                return new Vector2(Mathf.Cos(angle), Mathf.Sin(angle)) * length;
            }
        }

        public static Vector3 onUnitSphere
        {
            get
            {
                float height = Range(-1f, 1f), angle = Range(0f, 2f * Mathf.PI), width = Mathf.Sqrt(1f - height * height);
                return new Vector3(width * Mathf.Cos(angle), height, width * Mathf.Sin(angle));
            }
        }

        public static Vector3 insideUnitSphere => onUnitSphere * Mathf.Pow(value, 1f / 3f);
        public static Quaternion rotation => Quaternion.AngleAxis(Range(0f, 360f), onUnitSphere);
        public static Quaternion rotationUniform => rotation;
        public static Color ColorHSV() => Color.HSVToRGB(value, value, value);
        public static Color ColorHSV(float hueMin, float hueMax) => Color.HSVToRGB(Range(hueMin, hueMax), value, value);
        public static Color ColorHSV(float hueMin, float hueMax, float saturationMin, float saturationMax, float valueMin, float valueMax) =>
            Color.HSVToRGB(Range(hueMin, hueMax), Range(saturationMin, saturationMax), Range(valueMin, valueMax));
    }

    public enum KeyCode
    {
        None = 0, Backspace = 8, Tab = 9, Return = 13, Escape = 27, Space = 32, Plus = 43, Comma = 44, Minus = 45, Period = 46, Slash = 47,
        Alpha0 = 48, Alpha1, Alpha2, Alpha3, Alpha4, Alpha5, Alpha6, Alpha7, Alpha8, Alpha9,
        A = 97, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z, Delete = 127,
        Keypad0 = 256, Keypad1, Keypad2, Keypad3, Keypad4, Keypad5, Keypad6, Keypad7, Keypad8, Keypad9, KeypadPeriod, KeypadDivide,
        KeypadMultiply, KeypadMinus, KeypadPlus, KeypadEnter, KeypadEquals, UpArrow = 273, DownArrow, RightArrow, LeftArrow,
        Insert = 277, Home, End, PageUp, PageDown, F1 = 282, F2, F3, F4, F5, F6, F7, F8, F9, F10, F11, F12,
        RightShift = 303, LeftShift, RightControl, LeftControl, RightAlt, LeftAlt,
        Mouse0 = 323, Mouse1, Mouse2, JoystickButton0 = 330, JoystickButton1, JoystickButton2, JoystickButton3,
    }

    /// Nothing is pressed unless a host presses it.
    public static class Input
    {
        internal static HashSet<KeyCode> Pressed { get; } = new HashSet<KeyCode>();
        internal static Dictionary<string, float> Axes { get; } = new Dictionary<string, float>();

        public static Vector3 mousePosition => Vector3.zero;
        public static Vector2 mouseScrollDelta => Vector2.zero;
        public static bool anyKey => Pressed.Count > 0;
        public static bool anyKeyDown => anyKey;
        public static int touchCount => 0;
        public static bool GetKey(KeyCode key) => Pressed.Contains(key);
        public static bool GetKey(string name) => Pressed.Any(key => string.Equals(key.ToString(), name, StringComparison.OrdinalIgnoreCase));
        public static bool GetKeyDown(KeyCode key) => GetKey(key);
        public static bool GetKeyDown(string name) => GetKey(name);
        public static bool GetKeyUp(KeyCode key) => false;
        public static bool GetMouseButton(int button) => GetKey(KeyCode.Mouse0 + button);
        public static bool GetMouseButtonDown(int button) => GetMouseButton(button);
        public static bool GetMouseButtonUp(int button) => false;
        public static bool GetButton(string buttonName) => GetAxis(buttonName) != 0f;
        public static bool GetButtonDown(string buttonName) => GetButton(buttonName);
        public static bool GetButtonUp(string buttonName) => false;
        public static float GetAxisRaw(string axisName) => GetAxis(axisName);
        public static float GetAxis(string axisName)
        {
            float value;
            return Axes.TryGetValue(axisName, out value) ? value : 0f;
        }
    }

    public enum RuntimePlatform { OSXEditor = 0, OSXPlayer = 1, WindowsPlayer = 2, WindowsEditor = 7, LinuxPlayer = 13, LinuxEditor = 16 }

    public static class Application
    {
        public static bool isPlaying => World.Playing;
        public static bool isEditor => !World.Playing;
        public static bool isBatchMode => true;
        public static bool isFocused => true;
        public static bool runInBackground { get; set; } = true;
        public static int targetFrameRate { get; set; } = -1;
        public static string dataPath => "Assets";
        public static string persistentDataPath => ".";
        public static string streamingAssetsPath => "Assets/StreamingAssets";
        public static string temporaryCachePath => ".";
        public static string productName => "";
        public static string companyName => "";
        public static string version => "1.0";
        public static string unityVersion => "";
        public static RuntimePlatform platform => RuntimePlatform.LinuxPlayer;
        public static event Action quitting { add { } remove { } }
        public static event Action<string, string, LogType> logMessageReceived { add { } remove { } }
        public static void Quit() { }
        public static void Quit(int exitCode) { }
        public static void OpenURL(string url) { }
    }

    public static class Screen
    {
        public static int width => 84;
        public static int height => 84;
        public static bool fullScreen { get; set; }
        public static void SetResolution(int width, int height, bool fullscreen) { }
    }

    public static class QualitySettings
    {
        public static int vSyncCount { get; set; }
        public static int GetQualityLevel() => 0;
        public static void SetQualityLevel(int index) { }
        public static void SetQualityLevel(int index, bool applyExpensiveChanges) { }
    }

    public static class Resources
    {
        public static T Load<T>(string path) where T : Object => null;
        public static Object Load(string path) => null;
        public static T[] LoadAll<T>(string path) where T : Object => new T[0];
        public static T[] FindObjectsOfTypeAll<T>() where T : Object => World.All<T>(true).ToArray();
        public static T GetBuiltinResource<T>(string path) where T : Object => null;
    }

    public class TextAsset : Object
    {
        public TextAsset() : this("") { }
        public TextAsset(string text) { this.text = text; }
        public string text { get; }
        public byte[] bytes => System.Text.Encoding.UTF8.GetBytes(text);
    }

    public static class PlayerPrefs
    {
        static readonly Dictionary<string, object> s_Values = new Dictionary<string, object>();
        static T Get<T>(string key, T otherwise) => HasKey(key) ? (T)s_Values[key] : otherwise;
        public static bool HasKey(string key) => s_Values.ContainsKey(key);
        public static void SetInt(string key, int value) { s_Values[key] = value; }
        public static void SetFloat(string key, float value) { s_Values[key] = value; }
        public static void SetString(string key, string value) { s_Values[key] = value; }
        public static int GetInt(string key, int defaultValue = 0) => Get(key, defaultValue);
        public static float GetFloat(string key, float defaultValue = 0f) => Get(key, defaultValue);
        public static string GetString(string key, string defaultValue = "") => Get(key, defaultValue);
        public static void DeleteKey(string key) { s_Values.Remove(key); }
        public static void DeleteAll() { s_Values.Clear(); }
        public static void Save() { }
    }

    public static class JsonUtility
    {
        public static string ToJson(object obj) => "{}";
        public static string ToJson(object obj, bool prettyPrint) => "{}";
        public static T FromJson<T>(string json) => Activator.CreateInstance<T>();
        public static void FromJsonOverwrite(string json, object objectToOverwrite) { }
    }

    public static class SystemInfo
    {
        public static string deviceName => "";
        public static string operatingSystem => "";
        public static int processorCount => 1;
        public static bool supportsComputeShaders => false;
        public static Rendering.GraphicsDeviceType graphicsDeviceType => Rendering.GraphicsDeviceType.Null;
    }

    public static class Gizmos
    {
        public static Color color { get; set; } = Color.white;
        public static Matrix4x4 matrix { get; set; } = Matrix4x4.identity;
        public static void DrawLine(Vector3 from, Vector3 to) { }
        public static void DrawRay(Vector3 from, Vector3 direction) { }
        public static void DrawRay(Ray r) { }
        public static void DrawCube(Vector3 center, Vector3 size) { }
        public static void DrawWireCube(Vector3 center, Vector3 size) { }
        public static void DrawSphere(Vector3 center, float radius) { }
        public static void DrawWireSphere(Vector3 center, float radius) { }
        public static void DrawMesh(Mesh mesh, Vector3 position, Quaternion rotation) { }
        public static void DrawWireMesh(Mesh mesh, Vector3 position, Quaternion rotation) { }
        public static void DrawIcon(Vector3 center, string name) { }
    }

    public class GUIContent
    {
        public GUIContent() { }
        public GUIContent(string text) { this.text = text; }
        public GUIContent(string text, string tooltip) : this(text) { this.tooltip = tooltip; }
        public string text { get; set; } = "";
        public string tooltip { get; set; } = "";
        public static GUIContent none => new GUIContent();
    }

    public enum TextAnchor { UpperLeft, UpperCenter, UpperRight, MiddleLeft, MiddleCenter, MiddleRight, LowerLeft, LowerCenter, LowerRight }
    public enum FontStyle { Normal, Bold, Italic, BoldAndItalic }

    public class GUIStyleState
    {
        public Color textColor { get; set; }
        public Texture2D background { get; set; }
    }

    public class RectOffset
    {
        public RectOffset() { }
        public RectOffset(int left, int right, int top, int bottom) { this.left = left; this.right = right; this.top = top; this.bottom = bottom; }
        public int left { get; set; }
        public int right { get; set; }
        public int top { get; set; }
        public int bottom { get; set; }
    }

    public class GUIStyle
    {
        public GUIStyle() { }
        public GUIStyle(GUIStyle other) { }
        public GUIStyleState normal { get; set; } = new GUIStyleState();
        public GUIStyleState hover { get; set; } = new GUIStyleState();
        public RectOffset padding { get; set; } = new RectOffset();
        public RectOffset border { get; set; } = new RectOffset();
        public RectOffset margin { get; set; } = new RectOffset();
        public TextAnchor alignment { get; set; }
        public FontStyle fontStyle { get; set; }
        public Font font { get; set; }
        public int fontSize { get; set; }
        public float fixedWidth { get; set; }
        public float fixedHeight { get; set; }
        public bool wordWrap { get; set; }
        public bool richText { get; set; }
        public Vector2 CalcSize(GUIContent content) => Vector2.zero;
    }

    public class GUISkin : ScriptableObject
    {
        public GUIStyle label { get; set; } = new GUIStyle();
        public GUIStyle box { get; set; } = new GUIStyle();
        public GUIStyle button { get; set; } = new GUIStyle();
        public GUIStyle textField { get; set; } = new GUIStyle();
    }

    public class Font : Object { }
    public class GUILayoutOption { }

    public class GUI
    {
        public static GUISkin skin { get; set; } = new GUISkin();
        public static Color color { get; set; } = Color.white;
        public static Color backgroundColor { get; set; } = Color.white;
        public static bool enabled { get; set; } = true;
        public static bool changed { get; set; }
        public static void Label(Rect position, string text) { }
        public static void Label(Rect position, string text, GUIStyle style) { }
        public static void Label(Rect position, GUIContent content) { }
        public static void Box(Rect position, string text) { }
        public static void Box(Rect position, string text, GUIStyle style) { }
        public static void Box(Rect position, GUIContent content, GUIStyle style) { }
        public static bool Button(Rect position, string text) => false;
        public static bool Button(Rect position, string text, GUIStyle style) => false;
        public static bool Toggle(Rect position, bool value, string text) => value;
        public static string TextField(Rect position, string text) => text;
        public static float HorizontalSlider(Rect position, float value, float leftValue, float rightValue) => value;
        public static void DrawTexture(Rect position, Texture image) { }
        public static void BeginGroup(Rect position) { }
        public static void EndGroup() { }
    }

    public class GUILayout
    {
        public static void Label(string text, params GUILayoutOption[] options) { }
        public static void Label(string text, GUIStyle style, params GUILayoutOption[] options) { }
        public static void Box(string text, params GUILayoutOption[] options) { }
        public static bool Button(string text, params GUILayoutOption[] options) => false;
        public static bool Toggle(bool value, string text, params GUILayoutOption[] options) => value;
        public static string TextField(string text, params GUILayoutOption[] options) => text;
        public static float HorizontalSlider(float value, float leftValue, float rightValue, params GUILayoutOption[] options) => value;
        public static void Space(float pixels) { }
        public static void FlexibleSpace() { }
        public static void BeginArea(Rect screenRect) { }
        public static void EndArea() { }
        public static void BeginHorizontal(params GUILayoutOption[] options) { }
        public static void EndHorizontal() { }
        public static void BeginVertical(params GUILayoutOption[] options) { }
        public static void EndVertical() { }
        public static GUILayoutOption Width(float width) => new GUILayoutOption();
        public static GUILayoutOption Height(float height) => new GUILayoutOption();
    }

    public static class Cursor
    {
        public static bool visible { get; set; }
        public static CursorLockMode lockState { get; set; }
    }
    public enum FullScreenMode { ExclusiveFullScreen = 0, FullScreenWindow = 1, MaximizedWindow = 2, Windowed = 3 }
    public enum CursorLockMode { None, Locked, Confined }
}

namespace UnityEngine.SceneManagement
{
    public enum LoadSceneMode { Single, Additive }

    public struct Scene
    {
        internal Scene(string path) { this.path = path; }
        public string path { get; internal set; }
        public string name => System.IO.Path.GetFileNameWithoutExtension(path ?? "");
        public int buildIndex => 0;
        public bool isLoaded => true;
        public int rootCount => GetRootGameObjects().Length;
        public bool IsValid() => path != null;
        public GameObject[] GetRootGameObjects() => World.Objects.Where(o => o.transform.parent == null).ToArray();
        public static bool operator ==(Scene lhs, Scene rhs) => lhs.path == rhs.path;
        public static bool operator !=(Scene lhs, Scene rhs) => lhs.path != rhs.path;
        public override bool Equals(object other) => other is Scene && (Scene)other == this;
        public override int GetHashCode() => path == null ? 0 : path.GetHashCode();
    }

    public class SceneManager
    {
        internal static string ActivePath { get; set; } = "";
        public static int sceneCount => 1;
        public static Scene GetActiveScene() => new Scene(ActivePath);
        public static Scene GetSceneAt(int index) => GetActiveScene();
        public static void LoadScene(string sceneName) { }
        public static void LoadScene(int sceneBuildIndex) { }
        public static void LoadScene(string sceneName, LoadSceneMode mode) { }
        public static AsyncOperation LoadSceneAsync(string sceneName) => new AsyncOperation();
        public static AsyncOperation LoadSceneAsync(string sceneName, LoadSceneMode mode) => new AsyncOperation();
        public static AsyncOperation LoadSceneAsync(int sceneBuildIndex) => new AsyncOperation();
        public static void MoveGameObjectToScene(GameObject go, Scene scene) { }
        public static event Action<Scene, LoadSceneMode> sceneLoaded { add { } remove { } }
    }
}

namespace UnityEngine
{
    public class AsyncOperation : YieldInstruction
    {
        public bool isDone => true;
        public float progress => 1f;
        public bool allowSceneActivation { get; set; }
    }
}

namespace UnityEngine.Events
{
    public delegate void UnityAction();
    public delegate void UnityAction<T0>(T0 arg0);
    public delegate void UnityAction<T0, T1>(T0 arg0, T1 arg1);

    [Serializable]
    public abstract class UnityEventBase
    {
        public abstract void RemoveAllListeners();
    }

    [Serializable]
    public class UnityEvent : UnityEventBase
    {
        UnityAction m_Calls;
        public void AddListener(UnityAction call) { m_Calls += call; }
        public void RemoveListener(UnityAction call) { m_Calls -= call; }
        public override void RemoveAllListeners() { m_Calls = null; }
        public void Invoke() { m_Calls?.Invoke(); }
    }

    [Serializable]
    public class UnityEvent<T0> : UnityEventBase
    {
        UnityAction<T0> m_Calls;
        public void AddListener(UnityAction<T0> call) { m_Calls += call; }
        public void RemoveListener(UnityAction<T0> call) { m_Calls -= call; }
        public override void RemoveAllListeners() { m_Calls = null; }
        public void Invoke(T0 arg0) { m_Calls?.Invoke(arg0); }
    }

    [Serializable]
    public class UnityEvent<T0, T1> : UnityEventBase
    {
        UnityAction<T0, T1> m_Calls;
        public void AddListener(UnityAction<T0, T1> call) { m_Calls += call; }
        public void RemoveListener(UnityAction<T0, T1> call) { m_Calls -= call; }
        public override void RemoveAllListeners() { m_Calls = null; }
        public void Invoke(T0 arg0, T1 arg1) { m_Calls?.Invoke(arg0, arg1); }
    }
}

namespace UnityEngine.Profiling
{
    public static class Profiler
    {
        public static void BeginSample(string name) { }
        public static void EndSample() { }
    }
}

namespace UnityEngine.Assertions
{
    public static class Assert
    {
        public static void IsTrue(bool condition) { Debug.Assert(condition); }
        public static void IsTrue(bool condition, string message) { Debug.Assert(condition, message); }
        public static void IsFalse(bool condition) { Debug.Assert(!condition); }
        public static void IsNotNull<T>(T value) where T : class { Debug.Assert(value != null); }
        public static void AreEqual<T>(T expected, T actual) { Debug.Assert(Equals(expected, actual)); }
    }
}
