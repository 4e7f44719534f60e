// What Unity's native side does for scripts: it keeps the objects, calls the messages, copies what is serialised.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace UnityEngine
{
    /// How far a behaviour has got, and its coroutines.
    internal sealed class Life
    {
        internal bool Awoken { get; set; }
        internal bool Enabled { get; set; }
        internal bool Started { get; set; }
        internal List<Running> Coroutines { get; } = new List<Running>();
    }

    internal sealed class Running
    {
        internal IEnumerator Routine { get; set; }
        internal float Due { get; set; }
        internal Running Inner { get; set; }
    }

    internal static class World
    {
        static readonly List<GameObject> s_Objects = new List<GameObject>();
        static readonly List<Object> s_Doomed = new List<Object>();
        static readonly Dictionary<KeyValuePair<Type, string>, MethodInfo> s_Methods =
            new Dictionary<KeyValuePair<Type, string>, MethodInfo>();

        internal static IReadOnlyList<GameObject> Objects => s_Objects;
        internal static bool Playing { get; private set; }

        /// Everything gone, as when a new scene is opened in the Editor.
        internal static void Clear()
        {
            foreach (var gameObject in s_Objects.ToArray()) gameObject.Destroyed = true;
            s_Objects.Clear();
            s_Doomed.Clear();
            Playing = false;
            Time.Begin();
        }

        /// What pressing Play does: behaviours are made anew from what was serialised, then awake.
        internal static void Play()
        {
            var anew = new Dictionary<Object, Object>();
            foreach (var gameObject in s_Objects)
            {
                foreach (var old in gameObject.Components.OfType<MonoBehaviour>().ToArray()) anew[old] = Make(old.GetType(), gameObject);
            }
            foreach (var gameObject in s_Objects)
            {
                for (var i = 0; i < gameObject.Components.Count; i++)
                {
                    Object made;
                    if (!anew.TryGetValue(gameObject.Components[i], out made)) continue;
                    Keeping.Copy((Component)gameObject.Components[i], (Component)made, anew);
                    gameObject.Components[i].Destroyed = true;
                    gameObject.Components[i] = (Component)made;
                }
            }
            Playing = true;
            foreach (var root in s_Objects.Where(o => o.transform.parent == null).ToArray()) Refresh(root);
        }

        /// One fixed update and one frame.
        internal static void FixedStep()
        {
            var behaviours = Ordered();
            foreach (var one in behaviours.Where(one => !one.Life.Started && one.isActiveAndEnabled).ToArray()) Start(one);
            Time.inFixedTimeStep = true;
            Send(behaviours, "FixedUpdate");
            Physics.Simulate(Time.fixedDeltaTime);
            Time.Advance();
            Time.inFixedTimeStep = false;
            Send(behaviours, "Update");
            foreach (var one in behaviours) Resume(one);
            Send(behaviours, "LateUpdate");
            foreach (var doomed in s_Doomed.ToArray()) DestroyNow(doomed);
            s_Doomed.Clear();
        }

        static void Send(IEnumerable<MonoBehaviour> behaviours, string message)
        {
            foreach (var one in behaviours) if (one.isActiveAndEnabled) Call(one, message);
        }

        static void Start(MonoBehaviour behaviour)
        {
            behaviour.Life.Started = true;
            Call(behaviour, "Start");
        }

        static List<MonoBehaviour> Ordered() =>
            s_Objects.SelectMany(o => o.Components.OfType<MonoBehaviour>()).OrderBy(one => Order(one.GetType())).ToList();

        static int Order(Type type)
        {
            var attribute = type.GetCustomAttribute<DefaultExecutionOrder>(true);
            return attribute == null ? 0 : attribute.order;
        }

        internal static void Add(GameObject gameObject) { s_Objects.Add(gameObject); }

        /// A component that belongs to the object but is not in its list yet.
        internal static Component Make(Type type, GameObject owner)
        {
            var component = (Component)Activator.CreateInstance(type, true);
            component.Owner = owner;
            return component;
        }

        internal static IEnumerable<Type> Required(Type type) =>
            type.GetCustomAttributes<RequireComponent>(true).SelectMany(one => new[] { one.m_Type0, one.m_Type1, one.m_Type2 }).Where(one => one != null);

        /// Awake, OnEnable and OnDisable of an object and all below it, where they are due.
        internal static void Refresh(GameObject gameObject)
        {
            if (!Playing || gameObject.Destroyed) return;
            var behaviours = Below(gameObject).SelectMany(o => o.Components.OfType<MonoBehaviour>()).ToArray();
            foreach (var one in behaviours.OrderBy(one => Order(one.GetType()))) Refresh(one);
        }

        static void Refresh(MonoBehaviour one)
        {
            if (!one.Life.Awoken && one.Owner.activeInHierarchy)
            {
                one.Life.Awoken = true;
                Call(one, "Awake");
            }
            if (!one.Life.Awoken || one.Life.Enabled == one.isActiveAndEnabled) return;
            one.Life.Enabled = one.isActiveAndEnabled;
            Call(one, one.Life.Enabled ? "OnEnable" : "OnDisable");
        }

        internal static void Destroy(Object obj)
        {
            if (Playing && obj != null) s_Doomed.Add(obj);
            else DestroyNow(obj);
        }

        internal static void DestroyNow(Object obj)
        {
            if (obj == null) return;
            var component = obj as Component;
            if (component != null) Remove(component);
            var gameObject = obj as GameObject;
            if (gameObject != null)
            {
                foreach (var below in Below(gameObject).Reverse().ToArray()) Remove(below);
            }
            obj.Destroyed = true;
        }

        static void Remove(GameObject gameObject)
        {
            foreach (var component in gameObject.Components.ToArray().Reverse()) Remove(component);
            if (gameObject.transform.parent != null) gameObject.transform.SetParent(null);
            s_Objects.Remove(gameObject);
            gameObject.Destroyed = true;
        }

        static void Remove(Component component)
        {
            var behaviour = component as MonoBehaviour;
            if (behaviour != null && Playing)
            {
                if (behaviour.Life.Enabled) Call(behaviour, "OnDisable");
                if (behaviour.Life.Awoken) Call(behaviour, "OnDestroy");
            }
            if (component is Transform) return;
            component.Owner.Components.Remove(component);
            component.Destroyed = true;
        }

        internal static IEnumerable<GameObject> Below(GameObject gameObject)
        {
            yield return gameObject;
            foreach (Transform child in gameObject.transform)
            {
                foreach (var below in Below(child.gameObject)) yield return below;
            }
        }

        internal static IEnumerable<T> All<T>(bool includeInactive) where T : Object
        {
            var objects = s_Objects.Where(o => includeInactive || o.activeInHierarchy).ToArray();
            return objects.SelectMany(o => new Object[] { o }.Concat(o.Components)).OfType<T>();
        }

        internal static string Path(GameObject gameObject) =>
            (gameObject.transform.parent == null ? "" : Path(gameObject.transform.parent.gameObject)) + "/" + gameObject.name;

        internal static Transform TransformOf(Object obj) => obj is GameObject ? ((GameObject)obj).transform : ((Component)obj).transform;

        /// What Instantiate gives: an object with all below it, or the same component of such a copy.
        internal static Object Copy(Object original)
        {
            if (original == null) throw new ArgumentException("The Object you want to instantiate is null.");
            if (!(original is GameObject) && !(original is Component)) return original;
            var source = original as GameObject ?? ((Component)original).gameObject;
            var anew = new Dictionary<Object, Object>();
            var copy = CopyObjects(source, null, anew);
            foreach (var pair in anew.Where(pair => pair.Key is Component && !(pair.Key is Transform)).ToArray())
            {
                Keeping.Copy((Component)pair.Key, (Component)pair.Value, anew);
            }
            copy.name += "(Clone)";
            Refresh(copy);
            return anew[original];
        }

        static GameObject CopyObjects(GameObject source, Transform parent, IDictionary<Object, Object> anew)
        {
            var copy = new GameObject(source.name) { tag = source.tag, layer = source.layer, isStatic = source.isStatic };
            anew[source] = copy;
            anew[source.transform] = copy.transform;
            var playing = Playing;
            Playing = false;
            copy.SetActive(source.activeSelf);
            copy.transform.SetParent(parent, false);
            copy.transform.localPosition = source.transform.localPosition;
            copy.transform.localRotation = source.transform.localRotation;
            copy.transform.localScale = source.transform.localScale;
            foreach (var component in source.Components.Where(component => !(component is Transform)))
            {
                var made = Make(component.GetType(), copy);
                copy.Components.Add(made);
                anew[component] = made;
            }
            foreach (Transform child in source.transform) CopyObjects(child.gameObject, copy.transform, anew);
            Playing = playing;
            return copy;
        }

        internal static Coroutine Begin(MonoBehaviour owner, IEnumerator routine)
        {
            var running = new Running { Routine = routine };
            if (Advance(running)) owner.Life.Coroutines.Add(running);
            return new Coroutine { Routine = routine };
        }

        /// The coroutine of this routine, or all.
        internal static void End(MonoBehaviour owner, IEnumerator routine)
        {
            owner.Life.Coroutines.RemoveAll(running => routine == null || running.Routine == routine);
        }

        static void Resume(MonoBehaviour owner)
        {
            foreach (var running in owner.Life.Coroutines.ToArray())
            {
                if (Time.time + 1E-04f >= running.Due && !Advance(running)) owner.Life.Coroutines.Remove(running);
            }
        }

        /// On to the next yield; false at the end.
        static bool Advance(Running running)
        {
            if (running.Inner != null)
            {
                if (Time.time + 1E-04f < running.Inner.Due || Advance(running.Inner)) return true;
                running.Inner = null;
            }
            if (!running.Routine.MoveNext()) return false;
            var yielded = running.Routine.Current;
            var wait = yielded as WaitForSeconds;
            running.Due = wait == null ? 0f : Time.time + wait.Seconds;
            var inner = yielded is Coroutine ? ((Coroutine)yielded).Routine : yielded as IEnumerator;
            if (inner != null) running.Inner = new Running { Routine = inner };
            return true;
        }

        /// Calls a message such as "FixedUpdate" where the behaviour has it, private ones too.
        internal static object Call(object behaviour, string message, object argument = null)
        {
            var method = Method(behaviour.GetType(), message);
            if (method == null) return null;
            try
            {
                return method.Invoke(behaviour, method.GetParameters().Length == 0 ? null : new[] { argument });
            }
            catch (TargetInvocationException error)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(error.InnerException).Throw();
                throw;
            }
        }

        static MethodInfo Method(Type type, string message)
        {
            var key = new KeyValuePair<Type, string>(type, message);
            MethodInfo found;
            if (s_Methods.TryGetValue(key, out found)) return found;
            const BindingFlags any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
            for (var at = type; found == null && at != null && at != typeof(MonoBehaviour); at = at.BaseType)
            {
                found = at.GetMethods(any).FirstOrDefault(one => one.Name == message && one.GetParameters().Length < 2);
            }
            s_Methods[key] = found;
            return found;
        }
    }

    /// Copies what Unity serialises of a component: public fields and those with [SerializeField], of types that it can keep.
    internal static class Keeping
    {
        const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        static readonly Assembly s_Ours = typeof(Keeping).Assembly;

        internal static void Copy(Component from, Component to, IDictionary<Object, Object> anew)
        {
            (from as ISerializationCallbackReceiver)?.OnBeforeSerialize();
            Fields(from.GetType(), from, to, anew);
            if (from is Behaviour) ((Behaviour)to).enabled = ((Behaviour)from).enabled;
            (to as ISerializationCallbackReceiver)?.OnAfterDeserialize();
        }

        static void Fields(Type type, object from, object to, IDictionary<Object, Object> anew)
        {
            for (; type != null && !IsBase(type); type = type.BaseType)
            {
                foreach (var field in type.GetFields(Declared))
                {
                    var kept = type.Assembly == s_Ours ? IsOurs(field) : IsKept(field);
                    if (kept) field.SetValue(to, Value(field.FieldType, field.GetValue(from), type.Assembly == s_Ours, anew));
                }
            }
        }

        static bool IsBase(Type type) => type == typeof(object) || type == typeof(Object) || type == typeof(Component)
            || type == typeof(Behaviour) || type == typeof(MonoBehaviour) || type == typeof(ValueType);

        static bool IsOurs(FieldInfo field) => !field.IsNotSerialized && !field.IsInitOnly && !typeof(Delegate).IsAssignableFrom(field.FieldType);

        static bool IsKept(FieldInfo field) => !field.IsNotSerialized && !field.IsInitOnly
            && (field.IsPublic || field.GetCustomAttribute<SerializeField>() != null) && CanKeep(field.FieldType);

        internal static bool CanKeep(Type type)
        {
            if (type.IsArray) return type.GetArrayRank() == 1 && CanKeepElement(type.GetElementType());
            if (IsList(type)) return CanKeepElement(type.GetGenericArguments()[0]);
            return CanKeepElement(type);
        }

        static bool CanKeepElement(Type type)
        {
            if (type.IsArray || IsList(type) || typeof(Delegate).IsAssignableFrom(type)) return false;
            if (type.IsPrimitive || type.IsEnum || type == typeof(string) || typeof(Object).IsAssignableFrom(type)) return true;
            if (type.Assembly == s_Ours) return type.IsValueType || type.IsSerializable || type == typeof(AnimationCurve) || type == typeof(Gradient);
            return type.IsSerializable && !type.IsAbstract && type.Namespace != null && !type.Namespace.StartsWith("System")
                || type.IsSerializable && !type.IsAbstract && type.Namespace == null;
        }

        static bool IsList(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>);

        static object Value(Type type, object value, bool ours, IDictionary<Object, Object> anew)
        {
            if (value == null) return ours ? null : Empty(type);
            var asset = value as Object;
            if ((object)asset != null)
            {
                Object mapped;
                return anew.TryGetValue(asset, out mapped) ? mapped : asset;
            }
            if (type.IsArray)
            {
                var old = (Array)value;
                var made = Array.CreateInstance(type.GetElementType(), old.Length);
                for (var i = 0; i < old.Length; i++) made.SetValue(Value(type.GetElementType(), old.GetValue(i), ours, anew), i);
                return made;
            }
            if (IsList(type))
            {
                var made = (IList)Activator.CreateInstance(type);
                foreach (var item in (IList)value) made.Add(Value(type.GetGenericArguments()[0], item, ours, anew));
                return made;
            }
            if (type.IsPrimitive || type.IsEnum || type == typeof(string) || !type.IsSerializable) return value;
            if (type.Assembly == s_Ours && type.IsValueType) return value;
            var copy = Activator.CreateInstance(type, true);
            Fields(type, value, copy, anew);
            return copy;
        }

        /// Unity never keeps null where it shows a value.
        static object Empty(Type type)
        {
            if (type == typeof(string)) return "";
            if (type.IsArray) return Array.CreateInstance(type.GetElementType(), 0);
            if (typeof(Object).IsAssignableFrom(type)) return null;
            return Activator.CreateInstance(type, true);
        }
    }

    /// The project's tags and layers (ProjectSettings/TagManager.asset).
    internal sealed class TagsAndLayers : Object
    {
        internal const string Untagged = "Untagged";
        static readonly string[] s_Fixed = { Untagged, "Respawn", "Finish", "EditorOnly", "MainCamera", "Player", "GameController" };

        internal static TagsAndLayers Asset { get; private set; } = new TagsAndLayers();
        internal static string[] Layers => Asset.layers;

        // The names by which SerializedObject finds them in the asset.
        internal List<string> tags = new List<string>();
        internal string[] layers = Enumerable.Range(0, 32).Select(LayerName).ToArray();

        static string LayerName(int index) => index == 0 ? "Default" : index == 1 ? "TransparentFX" : index == 2 ? "Ignore Raycast"
            : index == 4 ? "Water" : index == 5 ? "UI" : "";

        internal static void Forget() { Asset = new TagsAndLayers(); }
        internal static string[] All => s_Fixed.Concat(Asset.tags).ToArray();
        internal static int Layer(string name) => Array.IndexOf(Layers, name);
        internal static string Known(string tag) =>
            All.Contains(tag) ? tag : throw new UnityException("Tag: " + tag + " is not defined.");
    }
}
